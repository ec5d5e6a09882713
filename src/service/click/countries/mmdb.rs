//! A small writer of MaxMind's format, version 2.0
//! (<https://maxmind.github.io/MaxMind-DB/>): a tree of 24-bit records over IPv6, in which IPv4
//! addresses lie below `::/96`.

use std::net::{IpAddr, Ipv6Addr};

/// What a record holds.
#[derive(Debug, Clone)]
pub(in crate::service::click) enum Value {
    Text(&'static str),
    Map(Vec<(&'static str, Self)>),
}

/// One network and its record.
pub(in crate::service::click) type Entry = (&'static str, Value);

const MARKER: &[u8] = b"\xab\xcd\xefMaxMind.com";

/// A database of these networks, none of which lies within another.
pub(in crate::service::click) fn write(entries: &[Entry]) -> Vec<u8> {
    let mut tree = vec![[Record::Nothing; 2]];
    let mut data = Vec::new();
    for (network, value) in entries {
        put(&mut tree, bits_of(network), data.len());
        put_value(value, &mut data);
    }
    let nodes = tree.len();
    let mut file = Vec::new();
    for record in tree.into_iter().flatten() {
        let number = match record {
            Record::Nothing => nodes,
            Record::Node(node) => node,
            // The data begins 16 zero bytes behind the tree.
            Record::Data(offset) => nodes + 16 + offset,
        };
        file.extend(&u32::try_from(number).unwrap().to_be_bytes()[1..]);
    }
    file.extend([0; 16]);
    file.extend(data);
    file.extend(MARKER);
    put_metadata(nodes, &mut file);
    file
}

#[derive(Clone, Copy)]
enum Record {
    Nothing,
    Node(usize),
    Data(usize),
}

/// The bits of a network's prefix, from the first on.
fn bits_of(network: &str) -> Vec<usize> {
    let (address, length) = network.split_once('/').unwrap();
    let length: usize = length.parse().unwrap();
    let (address, length) = match address.parse().unwrap() {
        IpAddr::V4(v4) => (Ipv6Addr::from(u128::from(v4.to_bits())), length + 96),
        IpAddr::V6(v6) => (v6, length),
    };
    (0..length).map(|bit| (address.to_bits() >> (127 - bit) & 1) as usize).collect()
}

fn put(tree: &mut Vec<[Record; 2]>, bits: Vec<usize>, offset: usize) {
    let (last, path) = bits.split_last().unwrap();
    let mut node = 0;
    for bit in path {
        node = match tree[node][*bit] {
            Record::Node(next) => next,
            _ => {
                tree.push([Record::Nothing; 2]);
                let next = tree.len() - 1;
                tree[node][*bit] = Record::Node(next);
                next
            }
        };
    }
    tree[node][*last] = Record::Data(offset);
}

fn put_value(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Text(text) => put_text(text, out),
        Value::Map(pairs) => {
            put_head(7, pairs.len(), out);
            for (key, value) in pairs {
                put_text(key, out);
                put_value(value, out);
            }
        }
    }
}

fn put_text(text: &str, out: &mut Vec<u8>) {
    put_head(2, text.len(), out);
    out.extend(text.as_bytes());
}

/// A control byte: three bits of the type, five of the size; types from 8 on take a byte more.
fn put_head(kind: u8, size: usize, out: &mut Vec<u8>) {
    let size = u8::try_from(size).unwrap();
    assert!(size < 29, "larger sizes are written otherwise");
    match kind {
        1..8 => out.push(kind << 5 | size),
        _ => out.extend([size, kind - 7]),
    }
}

fn put_number(kind: u8, number: u64, out: &mut Vec<u8>) {
    let bytes = number.to_be_bytes();
    let bytes = &bytes[number.leading_zeros() as usize / 8..];
    put_head(kind, bytes.len(), out);
    out.extend(bytes);
}

fn put_metadata(nodes: usize, out: &mut Vec<u8>) {
    let (u16, u32, u64) = (5, 6, 9);
    put_head(7, 9, out);
    for (key, kind, number) in [
        ("binary_format_major_version", u16, 2),
        ("binary_format_minor_version", u16, 0),
        ("build_epoch", u64, 1_795_435_200),
        ("ip_version", u16, 6),
        ("node_count", u32, nodes as u64),
        ("record_size", u16, 24),
    ] {
        put_text(key, out);
        put_number(kind, number, out);
    }
    put_text("database_type", out);
    put_text("Test-Country", out);
    put_text("languages", out);
    // An empty array.
    put_head(11, 0, out);
    put_text("description", out);
    put_head(7, 0, out);
}

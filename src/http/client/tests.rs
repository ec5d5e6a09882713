//! Who asked, told from what proxies and liars write.

use actix_web::http::header::HeaderValue;
use proptest::prelude::*;

use super::*;

/// Proxies of ours, in the tests.
const OURS: [&str; 3] = ["10.0.0.0/8", "192.0.2.1", "2001:db8:1::/48"];

fn ours() -> Proxies {
    Proxies::parse(&OURS.map(str::to_owned)).unwrap()
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn headers(lines: &[(&HeaderName, &[u8])]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in lines {
        headers.append((*name).clone(), HeaderValue::from_bytes(value).unwrap());
    }
    headers
}

/// Who asked, when a proxy of ours hands on `lines`.
fn client(name: &HeaderName, lines: &[&str]) -> String {
    let lines: Vec<_> = lines.iter().map(|line| (name, line.as_bytes())).collect();
    let found = ours().client(&headers(&lines));
    found.map_or("nobody".to_owned(), |address| address.to_string())
}

#[test]
fn the_last_address_that_is_no_proxy_of_ours_is_the_client() {
    for (lines, expected) in [
        (&["198.51.100.7"][..], "198.51.100.7"),
        (&["6.6.6.6, 198.51.100.7"], "198.51.100.7"),
        (&["6.6.6.6, 198.51.100.7, 10.9.9.9,192.0.2.1"], "198.51.100.7"),
        (&["6.6.6.6", "198.51.100.7, 10.9.9.9", "2001:db8:1::5"], "198.51.100.7"),
        (&["10.3.3.3, 10.4.4.4"], "10.3.3.3"),
        (&["198.51.100.7:4711"], "198.51.100.7"),
        (&["2001:db8:2::7"], "2001:db8:2::7"),
        (&["[2001:db8:2::7]"], "2001:db8:2::7"),
        (&["[2001:db8:2::7]:4711"], "2001:db8:2::7"),
        (&["::ffff:198.51.100.7"], "198.51.100.7"),
        (&["198.51.100.7, ::ffff:10.1.1.1"], "198.51.100.7"),
        (&[" , 198.51.100.7 ,, "], "198.51.100.7"),
    ] {
        assert_eq!(client(&X_FORWARDED_FOR, lines), expected, "{lines:?}");
    }
}

#[test]
fn forwarded_is_read_as_the_standard_writes_it() {
    for (lines, expected) in [
        (&["for=198.51.100.7"][..], "198.51.100.7"),
        (&["For=198.51.100.7;proto=http;by=203.0.113.43"], "198.51.100.7"),
        (&["proto=https; for=\"198.51.100.7:80\""], "198.51.100.7"),
        (&["for=6.6.6.6, for=198.51.100.7, for=10.9.9.9"], "198.51.100.7"),
        (&["for=\"[2001:db8:2::7]\""], "2001:db8:2::7"),
        (&["for=\"[2001:db8:2::7]:4711\""], "2001:db8:2::7"),
        (&["for=\"[2001:db8:2::7]:_odd\", for=\"[2001:db8:1::1]:_x\""], "2001:db8:2::7"),
        (&["for=198.51.100.7;host=\"a,b;for=6.6.6.6\""], "198.51.100.7"),
        (&["for=198.51.100.7;host=\"a\\\",for=6.6.6.6\""], "198.51.100.7"),
        (&["for=6.6.6.6", "for=198.51.100.7"], "198.51.100.7"),
    ] {
        assert_eq!(client(&FORWARDED, lines), expected, "{lines:?}");
    }
}

#[test]
fn a_proxy_that_says_nothing_is_not_the_client_itself() {
    for lines in [&[][..], &[""], &[" , ,"], &["", ""]] {
        assert_eq!(client(&X_FORWARDED_FOR, lines), "nobody", "{lines:?}");
        assert_eq!(client(&FORWARDED, lines), "nobody", "{lines:?}");
    }
}

#[test]
fn behind_what_is_no_address_nobody_knows_who_asked() {
    for entry in
        ["unknown", "_hidden", "x", "1.2.3", "1.2.3.4:", "[::1", "[1.2.3.4]", "::1]", "fe80::1%0"]
    {
        let line = format!("198.51.100.7, {entry}, 10.2.2.2");
        assert_eq!(client(&X_FORWARDED_FOR, &[&line]), "nobody", "{entry}");
        assert_eq!(client(&X_FORWARDED_FOR, &[entry]), "nobody", "{entry}");
        let line = format!("for=198.51.100.7, for=\"{entry}\", for=10.2.2.2");
        assert_eq!(client(&FORWARDED, &[&line]), "nobody", "{entry}");
    }
    for element in ["by=198.51.100.7", "for", "for=", "for=6.6.6.6;for=7.7.7.7", "for=\"6.6.6.6"] {
        let line = format!("{element}, for=10.2.2.2");
        assert_eq!(client(&FORWARDED, &[&line]), "nobody", "{element}");
    }
}

#[test]
fn a_proxy_that_adds_to_one_header_and_hands_on_the_other_deceives_nobody() {
    let (told, true_one) = (b"for=198.51.100.7".as_slice(), b"6.6.6.6, 198.51.100.7".as_slice());
    let agreed = headers(&[(&FORWARDED, told), (&X_FORWARDED_FOR, true_one)]);
    assert_eq!(ours().client(&agreed), Some(ip("198.51.100.7")));
    let invented = headers(&[(&FORWARDED, b"for=6.6.6.6"), (&X_FORWARDED_FOR, true_one)]);
    assert_eq!(ours().client(&invented), None);
}

#[test]
fn the_operators_socket_is_believed_and_is_nobody_by_itself() {
    assert!(Proxies::default().trust(None));
    assert_eq!(ours().client(&HeaderMap::new()), None);
    let told = headers(&[(&X_FORWARDED_FOR, b"198.51.100.7")]);
    assert_eq!(Proxies::default().client(&told), Some(ip("198.51.100.7")));
}

#[test]
fn a_network_holds_what_lies_in_it_in_either_version() {
    for (network, inside, outside) in [
        ("10.1.2.3/8", "10.255.255.255", "11.0.0.0"),
        ("10.0.0.4/31", "10.0.0.5", "10.0.0.6"),
        ("10.0.0.4", "10.0.0.4", "10.0.0.5"),
        ("0.0.0.0/0", "255.255.255.255", "::1"),
        ("2001:db8:1::/48", "2001:db8:1:ffff::1", "2001:db8:2::"),
        ("::1", "::1", "::2"),
        ("::ffff:10.0.0.0/104", "10.9.9.9", "11.0.0.0"),
        ("10.0.0.0/8", "::ffff:10.9.9.9", "::10.9.9.9"),
    ] {
        let proxies = Proxies::parse(&[network.to_owned()]).unwrap();
        assert!(proxies.trust(Some(ip(inside))), "{inside} in {network}");
        assert!(!proxies.trust(Some(ip(outside))), "{outside} in {network}");
    }
    let all = Proxies::parse(&["::/0".to_owned()]).unwrap();
    assert!(all.trust(Some(ip("2001:db8::"))) && all.trust(Some(ip("10.0.0.1"))));
}

#[test]
fn networks_are_told_apart_from_what_is_none() {
    for good in
        ["10.0.0.0/8", "10.1.2.3/8", "127.0.0.1", "::1", "2001:db8::/32", " 10.0.0.1 ", "::/0"]
    {
        assert!(Proxies::parse(&[good.to_owned()]).is_ok(), "{good}");
    }
    for bad in ["", "10.0.0.0/33", "10.0.0", "localhost", "10.0.0.0/"] {
        assert_eq!(Proxies::parse(&[bad.to_owned()]), Err(BadNetwork(bad.to_owned())));
    }
    assert!(ours().trust(Some(ip("10.255.0.1"))) && !ours().trust(Some(ip("11.0.0.1"))));
    assert!(!Proxies::default().trust(Some(ip("127.0.0.1"))));
}

/// What a client may write into a header, to deceive.
fn tale() -> impl Strategy<Value = String> {
    let words = [
        "for=6.6.6.6",
        "6.6.6.6",
        "[2001:db8:6::6]",
        "10.6.6.6",
        "for=10.0.0.9",
        "for=\"",
        ";",
        ",",
        "\"",
        "\\",
        "=",
        "by=",
        " ",
    ];
    let word = prop_oneof![
        3 => prop::sample::select(words.to_vec()).prop_map(str::to_owned),
        1 => "[ -~]{0,5}",
    ];
    prop::collection::vec(word, 0..12).prop_map(|words| words.concat())
}

/// Addresses that are no proxies of ours.
fn stranger() -> impl Strategy<Value = IpAddr> {
    prop_oneof![
        any::<[u8; 4]>().prop_map(IpAddr::from),
        any::<[u8; 16]>().prop_map(|octets| IpAddr::from(octets).to_canonical()),
    ]
    .prop_filter("no proxy of ours", |address| !ours().hold(*address))
}

/// How a proxy tells whom it was asked by.
#[derive(Debug, Clone, Copy)]
enum Habit {
    XForwardedFor,
    Forwarded,
}

/// Adds `hop` as a proxy does: to the last line that there is, or as a line of its own.
fn hand_on(lines: &mut Vec<String>, hop: IpAddr, habit: Habit, joins: bool) {
    let told = match (habit, hop) {
        (Habit::XForwardedFor, _) => hop.to_string(),
        (Habit::Forwarded, IpAddr::V4(_)) => format!("for={hop};proto=https"),
        (Habit::Forwarded, IpAddr::V6(_)) => format!("proto=https;for=\"[{hop}]:4711\""),
    };
    match lines.last_mut() {
        Some(last) if joins => *last = format!("{last}, {told}"),
        _ => lines.push(told),
    }
}

proptest! {
    #[test]
    fn nobody_makes_themselves_appear_as_another(
        liar in stranger(),
        (mut forwarded, mut x_forwarded_for) in (
            prop::collection::vec(tale(), 0..3),
            prop::collection::vec(tale(), 0..3),
        ),
        proxies in prop::collection::vec("10\\.[0-9]\\.[0-9]\\.[0-9]", 0..3),
        (by_forwarded, joins) in (any::<bool>(), any::<bool>()),
    ) {
        let habit = if by_forwarded { Habit::Forwarded } else { Habit::XForwardedFor };
        let lines = if by_forwarded { &mut forwarded } else { &mut x_forwarded_for };
        let hops = std::iter::once(liar).chain(proxies.iter().map(|proxy| ip(proxy)));
        hops.for_each(|hop| hand_on(lines, hop, habit, joins));
        let mut told = HeaderMap::new();
        for (name, lines) in [(&FORWARDED, forwarded), (&X_FORWARDED_FOR, x_forwarded_for)] {
            for line in lines {
                told.append(name.clone(), HeaderValue::from_str(&line).unwrap());
            }
        }
        let found = ours().client(&told);
        prop_assert!(found.is_none() || found == Some(liar), "{found:?} in {told:?}");
    }

    #[test]
    fn no_proxy_of_ours_is_taken_for_a_reader_who_hides(
        hidden in "unknown|_[a-z]{1,5}|[g-z]{1,5}",
        tales in prop::collection::vec(tale(), 0..3),
        proxies in prop::collection::vec("10\\.[0-9]\\.[0-9]\\.[0-9]", 0..3),
        (by_forwarded, joins) in (any::<bool>(), any::<bool>()),
    ) {
        let (name, habit, told) = if by_forwarded {
            (&FORWARDED, Habit::Forwarded, format!("for={hidden}"))
        } else {
            (&X_FORWARDED_FOR, Habit::XForwardedFor, hidden)
        };
        let mut lines = tales;
        lines.push(told);
        proxies.iter().for_each(|proxy| hand_on(&mut lines, ip(proxy), habit, joins));
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        prop_assert_eq!(client(name, &lines), "nobody", "{:?}", lines);
    }
}

//! The importer as a process, and the files it is given.

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use flate2::Compression;
use flate2::write::GzEncoder;
use lzma_rust2::{XzOptions, XzWriter};
use serde_json::Value;
use tempfile::TempDir;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::live::{BOOTSTRAP_KEY, Service};

/// A folder with files to import.
pub(crate) struct Desk {
    folder: TempDir,
}

/// How an import ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) output: String,
    pub(crate) notes: String,
}

impl Desk {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// A path in it.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Puts a file there and gives back its path.
    pub(crate) fn put(&self, name: &str, bytes: &[u8]) -> String {
        let path = self.path(name);
        fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

/// The importer, with the admin's key, in an environment of its own.
pub(crate) fn importer(service: &Service, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_slugline"));
    command.arg("import").args(args).env_clear().stdin(Stdio::null());
    command.env("SLUGLINE_SERVER", format!("http://127.0.0.1:{}", service.port()));
    command.env("SLUGLINE_KEY", BOOTSTRAP_KEY);
    command
}

/// Runs it to its end.
pub(crate) fn import(service: &Service, args: &[&str]) -> Ended {
    importer(service, args).output().unwrap().into()
}

/// Runs it with this on its standard input.
pub(crate) fn import_input(service: &Service, args: &[&str], input: &[u8]) -> Ended {
    let mut child = spawn(importer(service, args));
    child.stdin.take().unwrap().write_all(input).unwrap();
    child.wait_with_output().unwrap().into()
}

/// Starts it with pipes on all sides.
pub(crate) fn spawn(mut command: Command) -> Child {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code(), output: text(output.stdout), notes: text(output.stderr) }
    }
}

impl Ended {
    /// Imported, existing, replaced, conflicts and refused, of one that was run with `--json`.
    pub(crate) fn counts(&self) -> [u64; 5] {
        let told: Value =
            serde_json::from_str(&self.output).unwrap_or_else(|e| panic!("{e}: {self:?}"));
        ["imported", "existing", "replaced", "conflicts", "refused"]
            .map(|name| told[name].as_u64().unwrap())
    }

    /// The output, if it ended so.
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:?}");
        self
    }
}

/// Compressed as URLTeam does.
pub(crate) fn xz(bytes: &[u8]) -> Vec<u8> {
    let mut writer = XzWriter::new(Vec::new(), XzOptions::with_preset(1)).unwrap();
    writer.write_all(bytes).unwrap();
    writer.finish().unwrap()
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut writer = GzEncoder::new(Vec::new(), Compression::fast());
    writer.write_all(bytes).unwrap();
    writer.finish().unwrap()
}

/// A zip of these files, every second one compressed.
pub(crate) fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (at, (name, bytes)) in files.iter().enumerate() {
        let methods = [CompressionMethod::Stored, CompressionMethod::Deflated];
        let options = SimpleFileOptions::default().compression_method(methods[at % 2]);
        writer.start_file(*name, options).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// BEACON with a head like URLTeam's.
pub(crate) fn beacon(lines: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut file = b"#FORMAT: BEACON\n#PREFIX: http://goo.gl/\n#HOMEPAGE: http://urlte.am/\n\
        #TIMESTAMP: 2016-01-02T03:04:05.678901\n\n"
        .to_vec();
    for (code, target) in lines {
        file.extend([code.as_bytes(), b"|", target, b"\n"].concat());
    }
    file
}

/// So many links, each to a page of its own.
pub(crate) fn many(count: usize) -> Vec<(String, Vec<u8>)> {
    let host = |n: usize| format!("www.example-{}.org", n % 97);
    let link = |n: usize| {
        let target = format!("http://{}/2012/01/31/story-{n}.html?utm_source=x&p={n}", host(n));
        (format!("{n:05}"), target.into_bytes())
    };
    (0..count).map(link).collect()
}

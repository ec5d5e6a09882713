//! The scripts, and how one is called.

use std::sync::LazyLock;

use ::redis::{Cmd, ToRedisArgs};

/// A script and the hash by which Redis remembers it.
pub(super) struct Script {
    text: String,
    hash: String,
}

impl Script {
    fn of(parts: &[&str]) -> Self {
        let text = parts.concat();
        let hash = sha1_smol::Sha1::from(&text).digest().to_string();
        Self { text, hash }
    }

    /// A call of it, sent to where `key` lies; arguments are added to what is returned.
    pub(super) fn at(&'static self, key: &str) -> Call {
        let mut command = ::redis::cmd("EVALSHA");
        command.arg(&self.hash).arg(1).arg(key);
        Call { script: self, command }
    }
}

/// A call in the making.
pub(super) struct Call {
    script: &'static Script,
    command: Cmd,
}

impl Call {
    /// One more argument.
    pub(super) fn arg(mut self, value: impl ToRedisArgs) -> Self {
        self.command.arg(value);
        self
    }

    /// The command that calls the script by its hash.
    pub(super) fn command(&self) -> &Cmd {
        &self.command
    }

    /// The same call with the script's text, for a Redis that does not know it (any more): one
    /// trip, and to the server that needs it, whichever that is in a cluster.
    pub(super) fn in_full(&self) -> Cmd {
        let mut command = ::redis::cmd("EVAL");
        command.arg(&self.script.text);
        for argument in self.command.args_iter().skip(2) {
            if let ::redis::Arg::Simple(bytes) = argument {
                command.arg(bytes);
            }
        }
        command
    }
}

macro_rules! scripts {
    ($($name:ident = $($file:literal)+;)+) => {
        $(pub(super) static $name: LazyLock<Script> =
            LazyLock::new(|| Script::of(&[$(include_str!(concat!("scripts/", $file, ".lua"))),+]));)+
    };
}

scripts! {
    GET = "map" "get";
    CLAIM = "map" "claim";
    MINT = "map" "mint";
    REPLACE = "map" "replace";
    SWAP = "map" "swap";
    ENTER = "map" "enter";
    RECENT = "map" "recent";
    COUNT = "map" "count";
    TAGGED = "map" "tagged";
    TOUCHED = "map" "rows" "lanes" "touched";
    APPLY = "map" "rows" "lanes" "apply";
    DAYS = "map" "rows" "days";
    PLACES = "map" "rows" "places";
    LINKS = "map" "rows" "links";
    FIRST_DAY = "map" "first_day";
    FORGET = "map" "rows" "forget";
    HOLD = "hold";
    RESTORE = "map" "rows" "restore";
    RESTORE_LANES = "map" "rows" "restore_lanes";
    SALT = "secrets" "salt";
    FORGET_SALTS = "secrets" "forget_salts";
    TELL = "map" "tell";
    NEWS = "news";
    PUT_KEY = "put_key";
    BEGIN_REPLY = "begin_reply";
    END_REPLY = "end_reply";
    TRY = "try";
}

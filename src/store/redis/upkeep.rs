//! Whether the Redis at hand is ours, and fit to keep counts.

use std::collections::BTreeMap;

use super::connection::Trip;
use super::schema::{CHANGES, META, PARTITIONS, prefix};
use super::{Redis, scripts, together};
use crate::store::{SCHEMA_VERSION, StoreError, Upkeep};

/// The longest value, in bytes, that leaves a bucket compact: nearly all links, with a title in any
/// script, and the rows of all but busy ones. Redis's own limit is 64, which no address fits into.
const COMPACT_VALUE: u64 = 1_024;
/// The most entries of a compact hash. Buckets hold some 32, rarely a hundred; of hours, which come
/// by the dozen, rarely two hundred.
const COMPACT_ENTRIES: u64 = 512;
/// The oldest Redis with all that is used here, as major and minor version.
const OLDEST: (u32, u32) = (6, 2);

impl Upkeep for Redis {
    async fn prepare(&self) -> Result<Vec<String>, StoreError> {
        self.check_schema().await?;
        let mut warnings = self.check_version().await?;
        self.check_permissions().await?;
        warnings.extend(self.check_durability().await);
        warnings.extend(self.make_compact().await);
        Ok(warnings)
    }

    async fn ping(&self) -> Result<(), StoreError> {
        // A command with a key: in a cluster it asks who owns a slot of ours, not just anybody.
        let mut look = ::redis::cmd("EXISTS");
        look.arg(META);
        self.connection.command::<i64>(Trip::Read, &look).await.map(|_| ())
    }
}

impl Redis {
    async fn check_schema(&self) -> Result<(), StoreError> {
        for (field, value) in
            [("schema", u64::from(SCHEMA_VERSION)), ("partitions", PARTITIONS as u64)]
        {
            let mut claim = ::redis::cmd("HSETNX");
            claim.arg(META).arg(field).arg(value);
            self.connection.command::<i64>(Trip::Write, &claim).await?;
        }
        let mut look = ::redis::cmd("HMGET");
        look.arg(META).arg("schema").arg("partitions");
        let (schema, partitions): (String, String) =
            self.connection.command(Trip::Query, &look).await?;
        if schema != SCHEMA_VERSION.to_string() {
            return Err(StoreError::Schema { found: schema });
        }
        if partitions != PARTITIONS.to_string() {
            let found = format!("{schema} with {partitions} partitions");
            return Err(StoreError::Schema { found });
        }
        Ok(())
    }

    async fn check_version(&self) -> Result<Vec<String>, StoreError> {
        let mut info = ::redis::cmd("INFO");
        info.arg("server");
        let answers: Vec<String> = self.connection.on_masters(&info).await?;
        let versions = answers.iter().filter_map(|answer| {
            answer.lines().find_map(|line| line.strip_prefix("redis_version:"))
        });
        let old = versions.filter(|version| version_of(version) < OLDEST).map(|version| {
            format!(
                "Redis is version {}; upgrade it to {}.{} or newer",
                version.trim(),
                OLDEST.0,
                OLDEST.1
            )
        });
        Ok(once_each(old))
    }

    /// Whether the scripts may do what they do, in each partition: rights are each server's own.
    async fn check_permissions(&self) -> Result<(), StoreError> {
        let tries = (0..PARTITIONS).map(async |partition| {
            let call = scripts::TRY.at(&prefix(partition)).arg(CHANGES);
            self.connection.script::<Vec<String>>(Trip::Write, &call).await
        });
        let failed = match together(tries).await {
            Ok(failed) => once_each(failed.into_iter().flatten()),
            Err(StoreError::Refused(script)) => vec![script],
            Err(error) => return Err(error),
        };
        if failed.is_empty() {
            return Ok(());
        }
        Err(StoreError::Refused(format!(
            "Redis does not run commands that are needed ({}); allow its user these commands, the \
             keys sl{{* and the channel {CHANGES} (ACL SETUSER … ~sl{{* &{CHANGES} +…)",
            failed.join("; ")
        )))
    }

    /// Says where Redis would lose data.
    async fn check_durability(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        match self.setting("appendonly").await {
            None => warnings.push(
                "Redis does not tell its settings (CONFIG GET); make sure that it keeps an \
                 append-only file and evicts nothing"
                    .to_owned(),
            ),
            Some(values) if values.iter().any(|value| value != "yes") => warnings.push(
                "Redis keeps no append-only file: whatever it holds is lost when it stops; set \
                 `appendonly yes`, see config/redis.conf"
                    .to_owned(),
            ),
            Some(_) => {}
        }
        let evicting = |value: &&String| *value != "noeviction";
        if let Some(policies) = self.setting("maxmemory-policy").await
            && let Some(policy) = policies.iter().find(evicting)
        {
            warnings.push(format!(
                "Redis throws keys away when its memory is full (maxmemory-policy {policy}): links \
                 and counts would vanish; set `maxmemory-policy noeviction`"
            ));
        }
        warnings
    }

    /// Raises the limits up to which Redis keeps a hash compact, and says so when it can't.
    async fn make_compact(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        // The second name is what Redis 6 calls it.
        for (names, wanted) in [
            (["hash-max-listpack-value", "hash-max-ziplist-value"], COMPACT_VALUE),
            (["hash-max-listpack-entries", "hash-max-ziplist-entries"], COMPACT_ENTRIES),
        ] {
            if !self.raise(names, wanted).await {
                warnings.push(format!(
                    "Redis does not let `{}` be raised to {wanted}: links take about 50 bytes more \
                     each; set it in Redis's own configuration, see config/redis.conf",
                    names[0]
                ));
            }
        }
        warnings
    }

    async fn raise(&self, names: [&str; 2], wanted: u64) -> bool {
        for name in names {
            let values = self.setting(name).await.unwrap_or_default();
            let enough = |value: &String| value.parse().is_ok_and(|value: u64| value >= wanted);
            if !values.is_empty() && values.iter().all(enough) {
                return true;
            }
            let mut set = ::redis::cmd("CONFIG");
            set.arg("SET").arg(name).arg(wanted);
            let done = self.connection.on_masters::<String>(&set).await;
            if done.is_ok_and(|answers| answers.iter().all(|answer| answer == "OK")) {
                return true;
            }
        }
        false
    }

    /// A setting of every master; `None` where it is not told.
    async fn setting(&self, name: &str) -> Option<Vec<String>> {
        let mut get = ::redis::cmd("CONFIG");
        get.arg("GET").arg(name);
        let answers: Vec<BTreeMap<String, String>> = self.connection.on_masters(&get).await.ok()?;
        let values: Vec<String> =
            answers.into_iter().filter_map(|mut answer| answer.remove(name)).collect();
        (!values.is_empty()).then_some(values)
    }
}

fn version_of(text: &str) -> (u32, u32) {
    let mut numbers = text.trim().split('.').map(|part| part.parse().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
}

fn once_each(warnings: impl Iterator<Item = String>) -> Vec<String> {
    let mut warnings: Vec<String> = warnings.collect();
    warnings.sort();
    warnings.dedup();
    warnings
}

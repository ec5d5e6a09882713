//! The complete backup: links, and then, with the counting held, the links that came in meanwhile,
//! keys, and all that was counted.

use std::collections::BTreeMap;

use serde::Serialize;

use super::pages::{Out, Pages};
use super::{Export, ExportError};
use crate::model::link::Link;
use crate::service::transfer::backup::{
    BackupLine, Broken, End, Head, JournalLine, KeyLine, RowLine, TotalLine, VERSION,
};
use crate::service::transfer::line::LinkLine;
use crate::store::backup::Backup as _;
use crate::store::{Account, Keys as _, NodeId, Store, Tallies as _, aside};

/// What is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// Everything.
    All,
    /// Links alone.
    Links,
}

/// Lines of links, among those of other types.
#[derive(Serialize)]
struct Typed {
    r#type: &'static str,
    #[serde(flatten)]
    line: LinkLine,
}

/// Writes all of it, and at the end how much it was, or why it is not whole.
pub(super) async fn write(export: &Export, out: &mut Out, scope: Scope) -> Result<(), ExportError> {
    let mut lines = Lines { out, counts: BTreeMap::new() };
    let written = lines.write(export, scope).await;
    if let Err(error) = &written {
        // Nothing waits for whoever is told that.
        lines.out.let_go().await;
        if matches!(error, ExportError::Stalled(_)) {
            return written;
        }
        let reason = error.to_string();
        lines.send("", vec![BackupLine::Broken(Broken { reason })]).await?;
        out.flush().await?;
    }
    written
}

/// What was written so far.
struct Lines<'a> {
    out: &'a mut Out,
    counts: BTreeMap<String, u64>,
}

impl Lines<'_> {
    async fn write(&mut self, export: &Export, scope: Scope) -> Result<(), ExportError> {
        let store = export.links.store();
        let head = Head {
            version: VERSION,
            public_url: export.home.public_url(),
            links_only: scope == Scope::Links,
        };
        self.send("", vec![BackupLine::Slugline(head)]).await?;
        match scope {
            Scope::Links => self.links(&mut Pages::all(store).await?).await?,
            Scope::All => self.everything(export, store).await?,
        }
        let counts = std::mem::take(&mut self.counts);
        self.send("", vec![BackupLine::End(End { counts })]).await
    }

    async fn everything(&mut self, export: &Export, store: &Store) -> Result<(), ExportError> {
        // What waits in this node's journal had better be in it. Nothing depends on it.
        if let Err(error) = export.auditor.catch_up().await {
            tracing::warn!(%error, "a backup begins before this node's clicks are counted");
        }
        let mut pages = Pages::remembered(store).await?;
        self.links(&mut pages).await?;
        self.out.hold(store).await?;
        // Whatever is counted has its link in the backup, and whatever link is in it has its key, as
        // it stands now: one that was revoked meanwhile is told as revoked.
        pages.rest().await?;
        self.links(&mut pages).await?;
        self.keys(store).await?;
        self.counted(export, store).await?;
        // Only now is it sure that all of it was true at one moment.
        self.out.renew().await?;
        self.out.let_go().await;
        Ok(())
    }

    async fn keys(&mut self, store: &Store) -> Result<(), ExportError> {
        let keys = store.keys().await?;
        let lines = keys.into_iter().map(|key| BackupLine::Key(KeyLine::from(key)));
        self.send("key", lines.collect()).await
    }

    async fn links(&mut self, pages: &mut Pages) -> Result<(), ExportError> {
        while let Some(links) = pages.next().await? {
            let typed = |link: &Link| Typed { r#type: "link", line: LinkLine::from(link) };
            self.count("link", links.len());
            let piece = aside(move || written(links.iter().map(typed))).await?;
            // An empty one, too: what is held is renewed then.
            self.out.send(&piece).await?;
        }
        Ok(())
    }

    async fn counted(&mut self, export: &Export, store: &Store) -> Result<(), ExportError> {
        let mut after = None;
        loop {
            let (totals, next) = store.totals_after(after.as_ref()).await?;
            let line = |(code, count): (_, crate::model::tally::Count)| {
                BackupLine::Total(TotalLine { code, people: count.people, bots: count.bots })
            };
            self.send("total", totals.into_iter().map(line).collect()).await?;
            after = next;
            if after.is_none() {
                break;
            }
        }
        loop {
            let (rows, next) = store.rows_after(after.as_ref()).await?;
            let lines = rows.into_iter().map(|row| BackupLine::Row(RowLine::from(row)));
            self.send("row", lines.collect()).await?;
            after = next;
            if after.is_none() {
                break;
            }
        }
        self.books(export, store).await
    }

    /// What was deleted, and how far each node's journal is counted. A node's own account is of this
    /// moment, the others' as they filed it last.
    async fn books(&mut self, export: &Export, store: &Store) -> Result<(), ExportError> {
        let notes = store.notes().await?;
        self.send("note", notes.into_iter().map(BackupLine::Note).collect()).await?;
        let own = export.auditor.account().await?;
        let mut accounts: BTreeMap<NodeId, Account> = store
            .accounts()
            .await?
            .into_iter()
            .map(|account| (account.node.clone(), account))
            .collect();
        accounts.insert(own.node.clone(), own);
        accounts.retain(|_, account| took_part(account));
        let nodes: Vec<NodeId> = accounts.keys().cloned().collect();
        self.send("account", accounts.into_values().map(BackupLine::Account).collect()).await?;
        for node in nodes {
            let progress = store.progress(&node).await?;
            self.send("journal", vec![BackupLine::Journal(JournalLine::of(node, &progress))])
                .await?;
        }
        Ok(())
    }

    /// Sends lines of one type, which is counted if it has a name.
    async fn send(&mut self, kind: &str, lines: Vec<BackupLine>) -> Result<(), ExportError> {
        if !kind.is_empty() {
            self.count(kind, lines.len());
        }
        let piece = aside(move || written(lines.into_iter())).await?;
        self.out.send(&piece).await
    }

    fn count(&mut self, kind: &str, lines: usize) {
        if lines > 0 {
            *self.counts.entry(kind.to_owned()).or_default() += lines as u64;
        }
    }
}

/// Whether a node ever took in a click: of others there is nothing to go on from.
fn took_part(account: &Account) -> bool {
    account.accepted + account.counted + account.pending + account.lost > 0
}

/// Lines of JSON.
fn written<T: Serialize>(lines: impl Iterator<Item = T>) -> Vec<u8> {
    let mut piece = Vec::new();
    for line in lines {
        // Writing plain data into memory can't fail.
        drop(serde_json::to_writer(&mut piece, &line));
        piece.push(b'\n');
    }
    piece
}

//! `slugline key`: who may use the API.

use std::process::ExitCode;

use clap::{Subcommand, ValueEnum};
use serde::Deserialize;
use serde_json::{Value, json};

use super::client::{Client, Remote, with_service};
use super::{Options, block_on, output};
use crate::model::key::KeyId;

/// Shown below the help.
pub(super) const EXAMPLES: &str = "\
Examples:
  slugline key create 'News desk'                     a key that mints links
  slugline key create Dashboard --scope read          a key that reads all figures
  KEY=$(slugline key create CMS --scope mint --scope read)
  slugline key list
  slugline key revoke k7hq2mzd

A mint key sees and changes its own links only. A key is shown once, when it is made; only a hash of
it is kept. It opens nothing from the moment it is revoked, on every node.";

/// What to do with keys.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
    /// Print the service's answer as JSON
    #[arg(long, global = true)]
    json: bool,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make a key and show it, once
    Create {
        /// What to call it: its owner or its purpose
        name: String,
        /// What it may do; may be given more than once
        #[arg(long = "scope", value_enum, value_name = "SCOPE", default_value = "mint")]
        scopes: Vec<Scope>,
    },
    /// Show all keys, without their secrets
    List,
    /// End a key, now
    Revoke {
        /// Its id, as `slugline key list` shows it
        #[arg(value_parser = KeyId::parse)]
        id: KeyId,
    },
}

/// What a key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Scope {
    /// Mint links; see, change and delete its own
    Mint,
    /// Read all links and all figures
    Read,
    /// Everything, keys included
    Admin,
}

impl Scope {
    fn name(self) -> &'static str {
        match self {
            Self::Mint => "mint",
            Self::Read => "read",
            Self::Admin => "admin",
        }
    }
}

#[derive(Deserialize)]
struct NewKey {
    id: String,
    key: String,
}

#[derive(Deserialize)]
struct Key {
    id: String,
    name: String,
    scopes: Vec<String>,
    created_at: String,
    revoked_at: Option<String>,
}

/// Does it.
///
/// # Errors
/// When the service refuses or cannot be reached.
pub fn run(args: &Args, options: &Options) -> anyhow::Result<ExitCode> {
    block_on(with_service(&args.remote, options, async |client| match &args.action {
        Action::Create { name, scopes } => create(client, name, scopes, args.json).await,
        Action::List => list(client, args.json).await,
        Action::Revoke { id } => revoke(client, id, args.json).await,
    }))?;
    Ok(ExitCode::SUCCESS)
}

async fn create(client: &Client, name: &str, scopes: &[Scope], json: bool) -> anyhow::Result<()> {
    let scopes: Vec<&str> = scopes.iter().map(|scope| scope.name()).collect();
    let wish = json!({ "name": name, "scopes": scopes });
    let answer = client.post("/api/v1/keys", &wish).await?;
    if json {
        output::line(answer)?;
        return Ok(());
    }
    let NewKey { id, key } = NewKey::deserialize(&answer)?;
    output::line(key)?;
    output::note(format_args!(
        "Key {id} for {name:?} may {}. It is shown this once: keep it safe.",
        scopes.join(", ")
    ));
    Ok(())
}

async fn list(client: &Client, json: bool) -> anyhow::Result<()> {
    let keys = all(client).await?;
    if json {
        output::line(json!({ "items": keys }))?;
        return Ok(());
    }
    let mut rows = Vec::new();
    for key in &keys {
        let Key { id, name, scopes, created_at, revoked_at } = Key::deserialize(key)?;
        rows.push(vec![id, name, scopes.join(","), created_at, revoked_at.unwrap_or_default()]);
    }
    output::table(&["id", "name", "scopes", "created", "revoked"], rows)?;
    Ok(())
}

/// The items of every page.
async fn all(client: &Client) -> anyhow::Result<Vec<Value>> {
    let mut keys = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let query: Vec<(&str, &str)> = cursor.iter().map(|at| ("cursor", at.as_str())).collect();
        let mut page = client.get("/api/v1/keys", &query).await?;
        if let Value::Array(items) = page["items"].take() {
            keys.extend(items);
        }
        match page["next_cursor"].as_str() {
            Some(next) => cursor = Some(next.to_owned()),
            None => return Ok(keys),
        }
    }
}

async fn revoke(client: &Client, id: &KeyId, json: bool) -> anyhow::Result<()> {
    client.delete(&format!("/api/v1/keys/{id}")).await?;
    if json {
        output::line(json!({ "id": id, "revoked": true }))?;
    } else {
        output::line(format_args!("Key {id} is revoked: it opens nothing any more."))?;
    }
    Ok(())
}

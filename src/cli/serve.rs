//! `slugline serve`: runs the service until it is told to stop.

use std::net::SocketAddr;
use std::process::ExitCode;

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};

use super::{Options, block_on, output};
use crate::app::App;
use crate::config::Loaded;
use crate::model::key::PlainKey;
use crate::telemetry;

/// Shown below the help.
pub(super) const EXAMPLES: &str = "\
Examples:
  slugline serve                                       embedded store, in ./data
  slugline serve --listen 0.0.0.0:80 --public-url https://go.example.org
  slugline serve --store redis://127.0.0.1:6379        links and counts in Redis
  slugline serve --config /etc/slugline.toml

The first start makes an admin key and shows it once. For unattended installs, choose the key
yourself: SLUGLINE__AUTH__BOOTSTRAP_KEY.

SIGTERM and Ctrl-C drain: requests in flight are answered, clicks are counted, then it ends with 0.
If it is killed instead, no click is lost: the journal is read at the next start.";

/// Serves.
///
/// # Errors
/// When the settings are refused, the address is taken, the store cannot be used, or the clicks
/// could not be put away at the end.
pub fn run(options: &Options) -> anyhow::Result<ExitCode> {
    let config = options.load()?;
    let settings = &config.settings;
    telemetry::init(&settings.log)?;
    for advice in settings.advice() {
        tracing::warn!("{advice}");
    }
    block_on(serve(config))?;
    Ok(ExitCode::SUCCESS)
}

async fn serve(config: Loaded) -> anyhow::Result<()> {
    // Asked for first: a signal that comes while the service is being built is not lost.
    let stop = stop_signal()?;
    let settings = config.settings.clone();
    let app = App::build(config).await.context("the service can't start")?;
    let address = app.address();
    if let Some(key) = app.new_key() {
        output::line(welcome(&key, address))?;
    }
    let public = settings.public_base(address);
    output::line(format_args!("Slugline serves {public} on {address} (Ctrl-C stops it)"))?;
    tracing::info!(%address, listen = settings.listen, public_url = public, "serving");
    app.run_until(stop).await?;
    tracing::info!("stopped");
    Ok(())
}

/// Ends when this process is asked to stop.
fn stop_signal() -> anyhow::Result<impl Future<Output = ()>> {
    let hear = |kind| signal(kind).context("the system does not let signals be heard");
    let mut terminate = hear(SignalKind::terminate())?;
    let mut interrupt = hear(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => tracing::info!(signal = "SIGTERM", "stopping"),
            _ = interrupt.recv() => tracing::info!(signal = "SIGINT", "stopping"),
        }
    })
}

/// What the first start says: the key, and what to do with it.
fn welcome(key: &PlainKey, address: SocketAddr) -> String {
    let rule = "-".repeat(78);
    let key = key.reveal();
    let host = match address {
        address if address.ip().is_unspecified() => format!("localhost:{}", address.port()),
        address => address.to_string(),
    };
    format!(
        "{rule}\n\
         This is the admin key of this installation. It is shown this once: keep it safe.\n\
         \n    {key}\n\
         \nMint a link with it:\n\
         \n    curl -s http://{host}/api/v1/links \\\n      \
           -H 'Authorization: Bearer {key}' \\\n      \
           -H 'Content-Type: application/json' \\\n      \
           -d '{{\"url\": \"https://www.example.org/news/a-story?utm_source=newsletter\"}}'\n\
         {rule}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_welcome_shows_the_key_and_a_line_to_paste() {
        let key = PlainKey::parse("sl_0123456789").unwrap();
        let text = welcome(&key, "0.0.0.0:8080".parse().unwrap());
        assert!(text.contains("\n    sl_0123456789\n"), "{text}");
        assert!(text.contains("curl -s http://localhost:8080/api/v1/links \\\n"), "{text}");
        assert!(text.contains("-H 'Authorization: Bearer sl_0123456789' \\\n"), "{text}");
    }
}

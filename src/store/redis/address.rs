//! Where Redis is: `store.url`, read and checked.

use std::time::Duration;

use ::redis::cluster::{ClusterClient, ClusterClientBuilder};
use ::redis::io::tcp::TcpSettings;
use ::redis::{ConnectionInfo, IntoConnectionInfo, ProtocolVersion};

/// What a cluster's address begins with.
const CLUSTER: &str = "redis+cluster://";
/// How often the cluster client sends a command anew within the caller's time limit: the first
/// tries follow a moved slot, the others bridge a fail-over.
const CLUSTER_TRIES: u32 = 12;
/// The shortest and longest wait between those tries. The crate's own are seconds to minutes.
const CLUSTER_WAIT_MS: (u64, u64) = (10, 200);
/// How long connecting may take at most.
const CONNECT_WITHIN: Duration = Duration::from_secs(1);

/// Why `store.url` can't be used. It never shows the address itself, which may hold a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "store.url: {0}; give redis://[user:password@]host:port[/db], unix:///path or \
     redis+cluster://[user:password@]host:port,host:port"
)]
pub struct BadUrl(String);

/// One server or a cluster, and how to open connections to it.
#[derive(Debug, Clone)]
pub(super) enum Address {
    /// One server.
    Single(Box<ConnectionInfo>),
    /// Some nodes of a cluster, from which the others are learnt.
    Cluster(Vec<ConnectionInfo>),
}

impl Address {
    /// Reads `store.url`.
    pub(super) fn parse(url: &str) -> Result<Self, BadUrl> {
        let Some(rest) = url.strip_prefix(CLUSTER) else {
            return Ok(Self::Single(Box::new(node(url)?)));
        };
        let (credentials, hosts) = match rest.rsplit_once('@') {
            Some((credentials, hosts)) => (format!("{credentials}@"), hosts),
            None => (String::new(), rest),
        };
        let hosts = hosts.trim_end_matches('/').split(',').map(str::trim);
        let nodes: Vec<ConnectionInfo> = hosts
            .map(|host| node(&format!("redis://{credentials}{host}")))
            .collect::<Result<_, _>>()?;
        if nodes.iter().any(|node| node.redis_settings().db() != 0) {
            return Err(BadUrl("a cluster has no numbered databases".into()));
        }
        Ok(Self::Cluster(nodes))
    }

    /// Clients for each node by itself, as pub/sub needs them: it speaks the older protocol.
    pub(super) fn listeners(&self) -> Vec<ConnectionInfo> {
        let nodes = match self {
            Self::Single(node) => std::slice::from_ref(&**node),
            Self::Cluster(nodes) => nodes.as_slice(),
        };
        let older = |node: &ConnectionInfo| {
            let settings = node.redis_settings().clone().set_protocol(ProtocolVersion::RESP2);
            node.clone().set_redis_settings(settings)
        };
        nodes.iter().map(older).collect()
    }

    /// A client for the cluster. `within` bounds what it asks by itself, such as for the slots.
    pub(super) fn cluster_client(
        nodes: &[ConnectionInfo],
        within: Duration,
    ) -> ::redis::RedisResult<ClusterClient> {
        ClusterClientBuilder::new(nodes.to_vec())
            .retries(CLUSTER_TRIES)
            .min_retry_wait(CLUSTER_WAIT_MS.0)
            .max_retry_wait(CLUSTER_WAIT_MS.1)
            .connection_timeout(connect_within(within))
            .response_timeout(within)
            .overall_response_timeout(None)
            .tcp_settings(TcpSettings::default().set_nodelay(true))
            .build()
    }
}

/// How long connecting may take, where a write may take `within`.
pub(super) fn connect_within(within: Duration) -> Duration {
    within.min(CONNECT_WITHIN)
}

fn node(url: &str) -> Result<ConnectionInfo, BadUrl> {
    let unreadable = |e: ::redis::RedisError| BadUrl(e.to_string());
    let info = url.into_connection_info().map_err(unreadable)?;
    // The newer protocol tells at once when a connection is lost.
    let settings = info
        .redis_settings()
        .clone()
        .set_protocol(ProtocolVersion::RESP3)
        .set_lib_name("slugline", env!("CARGO_PKG_VERSION"));
    Ok(info.set_redis_settings(settings).set_tcp_settings(TcpSettings::default().set_nodelay(true)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn single_servers_sockets_and_clusters_are_understood() {
        for url in ["redis://localhost", "redis://u:p@10.0.0.1:6380/3", "unix:///run/redis.sock"] {
            assert!(matches!(Address::parse(url), Ok(Address::Single(_))), "{url}");
        }
        let url = "redis+cluster://user:p@ss@a:7000,b:7001,c:7002/";
        let Ok(Address::Cluster(nodes)) = Address::parse(url.replace("p@ss", "pass").as_str())
        else {
            panic!("{url}")
        };
        let hosts: Vec<String> = nodes.iter().map(|node| node.addr().to_string()).collect();
        assert_eq!(hosts, ["a:7000", "b:7001", "c:7002"]);
        assert!(nodes.iter().all(|node| node.redis_settings().password() == Some("pass")));
    }

    #[test]
    fn a_bad_address_is_refused_without_showing_its_password() {
        for url in [
            "http://x",
            "redis://:secret@",
            "redis+cluster://",
            "redis+cluster://a:1/2",
            "nonsense",
        ] {
            let Err(error) = Address::parse(url) else { panic!("{url}") };
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }
}

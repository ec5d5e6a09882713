//! What is behind a service under test.

use super::redis_server::{RedisCluster, RedisServer};

/// A store of its own for each test.
pub enum TestStore {
    Embedded,
    Redis(Box<RedisServer>),
    Cluster(Box<RedisCluster>),
}

impl TestStore {
    /// The embedded store; it lives in the service's data folder.
    pub fn embedded() -> Self {
        Self::Embedded
    }

    /// One Redis server.
    pub fn redis() -> Self {
        Self::Redis(Box::new(RedisServer::start()))
    }

    /// Three masters.
    pub fn cluster() -> Self {
        Self::Cluster(Box::new(RedisCluster::start()))
    }

    /// What `store.url` says.
    pub fn url(&self) -> String {
        match self {
            Self::Embedded => String::new(),
            Self::Redis(server) => server.url(),
            Self::Cluster(cluster) => cluster.url(),
        }
    }

    /// Runs it on every server.
    pub fn each_server(&mut self, mut run: impl FnMut(&mut RedisServer)) {
        match self {
            Self::Embedded => {}
            Self::Redis(server) => run(server),
            Self::Cluster(cluster) => {
                (0..cluster.nodes().len()).for_each(|at| run(cluster.node_mut(at)));
            }
        }
    }

    /// `kill -9` to all servers.
    pub fn kill(&mut self) {
        self.each_server(RedisServer::kill);
    }

    /// Starts them again and waits until they are whole.
    pub fn restart(&mut self) {
        self.each_server(RedisServer::restart);
        if let Self::Cluster(cluster) = self {
            cluster.wait_until_ok();
        }
    }

    /// Stops them in order, keeps a copy of what they hold, and starts them again.
    pub fn copy_aside(&mut self) {
        self.each_server(RedisServer::stop);
        self.each_server(|server| server.copy_aside());
        self.restart();
    }

    /// Kills them, and starts them again with what they held when the copy was made.
    pub fn bring_back_copy(&mut self) {
        self.kill();
        self.each_server(|server| server.restore_copy());
        self.restart();
    }
}

//! Work beside the workers.

use super::StoreError;

/// Does what takes longer than a reader on this thread may wait on another one.
///
/// # Errors
/// [`StoreError::Unavailable`] when it ended without an outcome: the process stops.
pub async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, StoreError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|e| StoreError::Unavailable(e.to_string()))
}

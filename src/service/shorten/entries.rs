//! The codes of an address, one at a time: for edits, and for what a mint leaves behind.

use super::{MAX_CODES, Shorten, ShortenError};
use crate::model::code::Code;
use crate::model::target::Target;
use crate::store::{Codes, Links, StoreError, Swap};

impl Shorten {
    /// Enters `code` under `address`, last, unless it stands there.
    pub(in crate::service) async fn put_under(
        &self,
        address: &Target,
        code: &Code,
    ) -> Result<(), ShortenError> {
        let mut old = self.codes_at(address).await?;
        loop {
            if old.0.contains(code) {
                return Ok(());
            }
            if old.0.len() >= MAX_CODES {
                return Err(ShortenError::TooManyCodes(address.clone()));
            }
            let new = Codes(old.0.iter().chain([code]).cloned().collect());
            let swap = Swap { address: address.clone(), old, new };
            match self.links.swap_codes(&[swap]).await?.pop().flatten() {
                None => return Ok(()),
                Some(there) => old = there,
            }
        }
    }

    /// Takes `code` out of the codes of `address`.
    pub(in crate::service) async fn take_out(
        &self,
        address: &Target,
        code: &Code,
    ) -> Result<(), StoreError> {
        let mut old = self.codes_at(address).await?;
        while old.0.contains(code) {
            let new = Codes(old.0.iter().filter(|other| *other != code).cloned().collect());
            let swap = Swap { address: address.clone(), old, new };
            match self.links.swap_codes(&[swap]).await?.pop().flatten() {
                None => return Ok(()),
                Some(there) => old = there,
            }
        }
        Ok(())
    }

    pub(super) async fn codes_at(&self, address: &Target) -> Result<Codes, StoreError> {
        let entries = self.links.codes_of(std::slice::from_ref(address)).await?;
        Ok(entries.into_iter().next().unwrap_or_default())
    }
}

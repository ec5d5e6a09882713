//! The links' records by their codes, in redb.
//!
//! A transaction copies each page that it touches, and codes lie anywhere. So a code leads to a number
//! only, in pages that hold hundreds, and the record is appended under the number: of many links that
//! come in together, few pages are copied.

use std::ops::Bound;

use redb::{ReadTransaction, ReadableTable, Table, TableDefinition, WriteTransaction};

use super::failed;
use crate::model::code::Code;
use crate::model::link::Link;
use crate::store::{StoreError, record};

/// Code → number of its record.
const NUMBERS: TableDefinition<'_, &str, u64> = TableDefinition::new("link_numbers");
/// Number → record, in the order in which the links came in.
const RECORDS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("link_records");

pub(super) fn make_tables(txn: &WriteTransaction) -> Result<(), StoreError> {
    txn.open_table(NUMBERS).map_err(failed)?;
    txn.open_table(RECORDS).map_err(failed)?;
    Ok(())
}

/// The link with this code.
pub(super) fn link(txn: &ReadTransaction, code: &Code) -> Result<Option<Link>, StoreError> {
    let numbers = txn.open_table(NUMBERS).map_err(failed)?;
    let Some(number) = numbers.get(code.as_str()).map_err(failed)? else { return Ok(None) };
    let records = txn.open_table(RECORDS).map_err(failed)?;
    read(&records, code, number.value()).map(Some)
}

/// The records, to be written to.
pub(super) struct Records<'t> {
    numbers: Table<'t, &'static str, u64>,
    records: Table<'t, u64, &'static [u8]>,
    /// Of the next record.
    next: u64,
}

impl<'t> Records<'t> {
    pub(super) fn open(txn: &'t WriteTransaction) -> Result<Self, StoreError> {
        let numbers = txn.open_table(NUMBERS).map_err(failed)?;
        let records = txn.open_table(RECORDS).map_err(failed)?;
        let last = records.last().map_err(failed)?.map(|(number, _)| number.value());
        Ok(Self { numbers, records, next: last.map_or(0, |last| last + 1) })
    }

    /// Puts a record under a code that has none. Of one that has: the link.
    pub(super) fn claim(&mut self, code: &Code, record: &[u8]) -> Result<Option<Link>, StoreError> {
        let number = self.next;
        if let Some(number) = self.put_number(code)? {
            return self.link(code, number).map(Some);
        }
        self.records.insert(number, record).map_err(failed)?;
        Ok(None)
    }

    /// Gives each code that has none the next number, for a record that is then to be put there
    /// ([`Self::append`]). Says the first of these; and of each code the number that it had, which
    /// among equal codes is one of these.
    pub(super) fn number<'c>(
        &mut self,
        codes: impl Iterator<Item = &'c Code>,
    ) -> Result<(u64, Vec<Option<u64>>), StoreError> {
        let first = self.next;
        // Where one is there, others are: then a look costs less than to write and to take back.
        let mut all_new = true;
        let number = |code| {
            let had = if all_new { None } else { self.number_of(code)? };
            let had = if had.is_none() { self.put_number(code)? } else { had };
            all_new &= had.is_none();
            Ok(had)
        };
        Ok((first, codes.map(number).collect::<Result<_, StoreError>>()?))
    }

    /// Gives a code the next number, unless it has one: that.
    fn put_number(&mut self, code: &Code) -> Result<Option<u64>, StoreError> {
        let had = self.numbers.insert(code.as_str(), self.next).map_err(failed)?;
        let had = had.map(|number| number.value());
        match had {
            None => self.next += 1,
            Some(number) => {
                self.numbers.insert(code.as_str(), number).map_err(failed)?;
            }
        }
        Ok(had)
    }

    /// The link with this code and number.
    pub(super) fn link(&self, code: &Code, number: u64) -> Result<Link, StoreError> {
        read(&self.records, code, number)
    }

    /// Puts records under the numbers from `first` on, behind all others.
    pub(super) fn append<'r>(
        &mut self,
        first: u64,
        records: impl Iterator<Item = &'r [u8]>,
    ) -> Result<(), StoreError> {
        let mut end = self.records.upper_bound_mut(Bound::<u64>::Unbounded).map_err(failed)?;
        for (number, record) in (first..).zip(records) {
            end.insert_before(number, record).map_err(failed)?;
        }
        end.close().map_err(failed)
    }

    /// Puts `new` in the place of `old`, if that is what stands there.
    pub(super) fn replace(
        &mut self,
        code: &Code,
        old: &[u8],
        new: &[u8],
    ) -> Result<bool, StoreError> {
        let Some(number) = self.number_of(code)? else { return Ok(false) };
        let there = self.records.get(number).map_err(failed)?;
        if there.is_none_or(|there| there.value() != old) {
            return Ok(false);
        }
        self.records.insert(number, new).map_err(failed)?;
        Ok(true)
    }

    fn number_of(&self, code: &Code) -> Result<Option<u64>, StoreError> {
        Ok(self.numbers.get(code.as_str()).map_err(failed)?.map(|number| number.value()))
    }
}

fn read(
    records: &impl ReadableTable<u64, &'static [u8]>,
    code: &Code,
    number: u64,
) -> Result<Link, StoreError> {
    let gone = || StoreError::Damaged(format!("link {code}: its record {number} is gone"));
    let record = records.get(number).map_err(failed)?.ok_or_else(gone)?;
    record::to_link(code, record.value())
}

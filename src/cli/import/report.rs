//! What came of an import: counted, the first remarks told, and all of them in a file if it is wished.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::Serialize;
use serde_json::{Value, json};

use super::answer::{Answer, Remark};
use super::batches::{Batch, Origin};
use crate::cli::output::{self, grouped};
use crate::model::sheet;

/// Remarks of one kind that are told in full.
const TOLD: usize = 5;
/// Reasons that are counted apart.
const REASONS: usize = 20;

/// Why a line was not imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    /// Its code leads elsewhere.
    Conflict,
    /// It is no link that can be imported.
    Refused,
}

/// A line that was not imported.
#[derive(Debug, Serialize)]
struct Row<'a> {
    file: &'a str,
    line: u64,
    code: Option<&'a str>,
    outcome: Outcome,
    reason: &'a str,
}

/// What came of it so far.
#[derive(Default)]
pub(super) struct Report {
    imported: u64,
    existing: u64,
    replaced: u64,
    conflicts: Remarks,
    refused: Remarks,
    /// Whether a conflict ended it.
    pub(super) stopped: bool,
    file: Option<ReportFile>,
}

/// Remarks of one kind.
#[derive(Default)]
struct Remarks {
    count: u64,
    /// The first ones, as they are told.
    first: Vec<String>,
    /// How often each reason came: the first [`REASONS`] different ones.
    reasons: Vec<(String, u64)>,
}

/// Where every remark is written.
struct ReportFile {
    path: PathBuf,
    form: ReportForm,
}

enum ReportForm {
    Csv(Box<csv::Writer<File>>),
    Ndjson(BufWriter<File>),
}

impl Report {
    /// An empty one that writes every remark into this file: lines of JSON if its name ends so, else
    /// CSV.
    ///
    /// # Errors
    /// When the file can't be written.
    pub(super) fn into_file(path: Option<&Path>) -> anyhow::Result<Self> {
        let file = path.map(ReportFile::create).transpose()?;
        Ok(Self { file, ..Self::default() })
    }

    /// Takes in what came of a batch, in the order of its lines.
    ///
    /// # Errors
    /// When the service speaks of lines that it was not asked about, or the file can't be written.
    pub(super) fn take(&mut self, batch: Batch, answer: Answer) -> anyhow::Result<()> {
        self.imported += answer.imported;
        self.existing += answer.existing;
        self.replaced += answer.replaced;
        self.stopped |= answer.stopped;
        let Batch { origins, refused, .. } = batch;
        let mut refused = refused.into_iter().peekable();
        for (outcome, Remark { line, code, reason }) in in_order(answer) {
            while let Some((_, origin, reason)) = refused.next_if(|(before, ..)| *before < line) {
                self.remark(&origin, None, Outcome::Refused, &reason)?;
            }
            let origin = line.checked_sub(1).and_then(|at| origins.get(at));
            let origin = origin.context("the service answered about a line that is not there")?;
            self.remark(origin, code.as_deref(), outcome, &reason)?;
        }
        for (_, origin, reason) in refused {
            self.remark(&origin, None, Outcome::Refused, &reason)?;
        }
        Ok(())
    }

    fn remark(
        &mut self,
        Origin { source, line }: &Origin,
        code: Option<&str>,
        outcome: Outcome,
        reason: &str,
    ) -> anyhow::Result<()> {
        let remarks = match outcome {
            Outcome::Conflict => &mut self.conflicts,
            Outcome::Refused => &mut self.refused,
        };
        remarks.count += 1;
        if remarks.first.len() < TOLD {
            let code = code.map_or_else(String::new, |code| format!("{code}: "));
            remarks.first.push(format!("{source}, line {line}: {code}{reason}"));
        } else if let Some((_, count)) = remarks.reasons.iter_mut().find(|(r, _)| r == reason) {
            *count += 1;
        } else if remarks.reasons.len() < REASONS {
            remarks.reasons.push((reason.to_owned(), 1));
        }
        match &mut self.file {
            Some(file) => file.write(&Row { file: source, line: *line, code, outcome, reason }),
            None => Ok(()),
        }
    }

    /// Lines that were looked at.
    pub(super) fn lines(&self) -> u64 {
        self.imported + self.existing + self.replaced + self.conflicts.count + self.refused.count
    }

    /// Whether every line is a link that stands here now.
    pub(super) fn is_clean(&self) -> bool {
        self.conflicts.count == 0 && self.refused.count == 0
    }

    /// Writes what is not written yet.
    ///
    /// # Errors
    /// When the file can't be written.
    pub(super) fn close(&mut self) -> anyhow::Result<()> {
        self.file.as_mut().map_or(Ok(()), ReportFile::flush)
    }

    /// As one object.
    pub(super) fn to_json(&self, dry_run: bool) -> Value {
        json!({
            "dry_run": dry_run,
            "lines": self.lines(),
            "imported": self.imported,
            "existing": self.existing,
            "replaced": self.replaced,
            "conflicts": self.conflicts.count,
            "refused": self.refused.count,
            "stopped": self.stopped,
        })
    }

    /// For a person.
    pub(super) fn to_text(&self, dry_run: bool) -> String {
        let mut text = String::new();
        let mut line = |line: &str| {
            text.push_str(line);
            text.push('\n');
        };
        if dry_run {
            line("dry run: nothing was changed; this is what would be");
        }
        let counts = [
            ("imported", self.imported),
            ("already there", self.existing),
            ("replaced", self.replaced),
            ("conflicts", self.conflicts.count),
            ("refused", self.refused.count),
        ];
        for (name, count) in counts {
            line(&format!("{name:<14}{:>14}", grouped(count)));
        }
        for (name, remarks) in [("conflicts", &self.conflicts), ("refused", &self.refused)] {
            for told in remarks.told(name) {
                line(&told);
            }
        }
        if self.stopped {
            line("stopped at the first conflict: what stands behind it was not looked at");
        }
        let unwritten = !self.is_clean() && self.file.is_none();
        if unwritten && self.conflicts.count + self.refused.count > 2 * TOLD as u64 {
            line("\n--report FILE writes all of them into a file");
        }
        text
    }
}

/// All remarks of an answer by their lines.
fn in_order(answer: Answer) -> Vec<(Outcome, Remark)> {
    let conflicts = answer.conflicts.into_iter().map(|remark| (Outcome::Conflict, remark));
    let refused = answer.refused.into_iter().map(|remark| (Outcome::Refused, remark));
    let mut all: Vec<_> = conflicts.chain(refused).collect();
    all.sort_by_key(|(_, remark)| remark.line);
    all
}

impl Remarks {
    fn told(&self, name: &str) -> Vec<String> {
        if self.count == 0 {
            return Vec::new();
        }
        let mut told = vec![format!("\n{name}:")];
        told.extend(self.first.iter().map(|first| format!("  {first}")));
        let further = self.count - self.first.len() as u64;
        if further > 0 {
            told.push(format!("  and {} more:", grouped(further)));
            let mut reasons = self.reasons.clone();
            reasons.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
            let counted: u64 = reasons.iter().map(|(_, count)| count).sum();
            let other =
                (further > counted).then(|| ("other reasons".to_owned(), further - counted));
            let rows = reasons.into_iter().chain(other);
            told.extend(rows.map(|(reason, count)| format!("  {:>9}  {reason}", grouped(count))));
        }
        told
    }
}

impl ReportFile {
    fn create(path: &Path) -> anyhow::Result<Self> {
        let file =
            File::create(path).with_context(|| format!("{} can't be written", path.display()))?;
        let is_json = path.extension().is_some_and(|end| end == "ndjson" || end == "json");
        let form = if is_json {
            ReportForm::Ndjson(BufWriter::new(file))
        } else {
            ReportForm::Csv(Box::new(sheet::rows().from_writer(file)))
        };
        let mut report = Self { path: path.to_owned(), form };
        report.attempt(|form| match form {
            ReportForm::Csv(rows) => {
                Ok(rows.write_record(["file", "line", "code", "outcome", "reason"])?)
            }
            ReportForm::Ndjson(_) => Ok(()),
        })?;
        Ok(report)
    }

    fn write(&mut self, row: &Row<'_>) -> anyhow::Result<()> {
        self.attempt(|form| match form {
            ReportForm::Ndjson(lines) => {
                serde_json::to_writer(&mut *lines, row)?;
                Ok(lines.write_all(b"\n")?)
            }
            ReportForm::Csv(rows) => {
                let outcome = match row.outcome {
                    Outcome::Conflict => "conflict",
                    Outcome::Refused => "refused",
                };
                let line = row.line.to_string();
                let cells = [row.file, &line, row.code.unwrap_or(""), outcome, row.reason];
                Ok(rows.write_record(cells.map(|cell| sheet::harmless(cell).into_owned()))?)
            }
        })
    }

    fn flush(&mut self) -> anyhow::Result<()> {
        self.attempt(|form| match form {
            ReportForm::Csv(rows) => Ok(rows.flush()?),
            ReportForm::Ndjson(lines) => Ok(lines.flush()?),
        })
    }

    fn attempt(
        &mut self,
        write: impl FnOnce(&mut ReportForm) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        write(&mut self.form).with_context(|| format!("{} can't be written", self.path.display()))
    }
}

/// Prints it.
///
/// # Errors
/// When nobody takes the output.
pub(super) fn print(report: &Report, dry_run: bool, json: bool) -> std::io::Result<()> {
    if json { output::line(report.to_json(dry_run)) } else { output::text(report.to_text(dry_run)) }
}

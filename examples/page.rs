//! Writes the page of twenty made-up targets with a year of history, to look at it and to check it:
//!
//! ```text
//! cargo run --example page -- page.html
//! ```

use std::fs;

use anyhow::{Context, Result};
use trueup::{cli, core};

#[path = "../src/cli/present/html/sample.rs"]
mod sample;

fn main() -> Result<()> {
    let file = std::env::args().nth(1).context("Which file?")?;
    fs::write(&file, sample::sample_page(&sample::year(120))).context(file)
}

//! Man pages of the tools, from their command lines as clap knows them.

use std::fmt::Display;
use std::io;

use clap_mangen::Man;
use clap_mangen::roff::{Roff, roman};

/// A man page of section 8, section by section.
pub struct Page {
    man: Man,
    text: Vec<u8>,
}

impl Page {
    /// Begins a page with title and name.
    pub fn new(grammar: clap::Command) -> Self {
        let man = Man::new(grammar).section("8").manual("Linux Virtual Server").source("ipvs-rs");
        Self { man, text: Vec::new() }.generated(Man::render_title).generated(Man::render_name_section)
    }

    /// Adds a section that clap writes.
    pub fn generated(mut self, section: impl FnOnce(&Man, &mut dyn io::Write) -> io::Result<()>) -> Self {
        // Writing to a vector does not fail.
        let _ = section(&self.man, &mut self.text);
        self
    }

    /// Adds a section.
    pub fn section(mut self, heading: &str, write: impl FnOnce(&mut Roff)) -> Self {
        let mut section = Roff::new();
        section.control("SH", [heading]);
        write(&mut section);
        let _ = section.to_writer(&mut self.text);
        self
    }

    /// Adds a section of paragraphs.
    pub fn paragraphs(self, heading: &str, paragraphs: &[&str]) -> Self {
        self.section(heading, |section| {
            for paragraph in paragraphs {
                section.control("PP", []).text([roman(*paragraph)]);
            }
        })
    }

    /// Adds a section of words with their meanings.
    pub fn meanings<W: Display, M: Display>(self, heading: &str, rows: impl IntoIterator<Item = (W, M)>) -> Self {
        self.section(heading, |section| {
            for (word, meaning) in rows {
                section.control("TP", []).text([roman(word.to_string())]).text([roman(meaning.to_string())]);
            }
        })
    }

    /// Adds command lines, each group with the task that it does.
    pub fn examples(self, examples: &[(&str, &[&str])]) -> Self {
        self.section("EXAMPLES", |section| {
            for (task, lines) in examples {
                section.control("PP", []).text([roman(*task)]).control("PP", []).control("nf", []).control("RS", ["4"]);
                for line in *lines {
                    section.text([roman(*line)]);
                }
                section.control("RE", []).control("fi", []);
            }
        })
    }

    /// Returns the page. Every section begins with the same definition; one is enough.
    pub fn finish(self) -> String {
        let page = String::from_utf8_lossy(&self.text);
        let (first, sections) = page.split_at(page.find(".TH").unwrap_or_default());
        [first, &sections.replace(first, "")].concat()
    }
}

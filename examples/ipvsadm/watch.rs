//! A listing again and again.

use std::io::{self, IsTerminal};
use std::time::Duration;

use crossterm::event::{self, Event, KeyCode, KeyEventKind, KeyModifiers};
use crossterm::{cursor, execute, terminal};
use ipvs_rs::Table;
use signal_hook::consts::{SIGINT, SIGTERM};

use crate::clock::{Clock, POLL_INTERVAL, Signals};
use crate::fault::Fault;
use crate::invocation::{ListTarget, Listing};
use crate::output::Output;
use crate::session::Session;

/// Lists until the user ends it by `q` on a terminal, or until a signal does.
pub fn run(session: &mut Session, listing: &Listing, interval: Duration) -> Result<(), Fault> {
    let mut signals = Signals::catch(&[SIGINT, SIGTERM], usize::MAX)
        .map_err(|error| Fault::list(format!("cannot watch for signals: {error}")))?;
    let screen = if io::stdout().is_terminal() && !listing.json { Some(Screen::open()?) } else { None };
    let mut last = None;
    let mut is_first = true;
    let mut incomplete = None;
    while signals.count() == 0 {
        let begin = signals.elapsed();
        let (text, missing) = draw(session, listing, &signals, &mut last)?;
        incomplete = missing.or(incomplete);
        if let Some(screen) = &screen {
            screen.show(&text, interval)?;
        } else {
            if !is_first && !listing.json {
                session.out.write(b"\n");
            }
            session.out.write(&text);
            session.out.flush();
        }
        is_first = false;
        let keys = screen.as_ref().is_some_and(|screen| screen.has_keys);
        if !wait(&mut signals, begin + interval, keys)? {
            break;
        }
    }
    incomplete.map_or(Ok(()), Err)
}

/// The current listing, with rates since the last one; in the first one, those of the kernel. It is returned with the
/// fault of a listing that is incomplete.
fn draw(
    session: &mut Session,
    listing: &Listing,
    signals: &Signals,
    last: &mut Option<(Duration, Table)>,
) -> Result<(Vec<u8>, Option<Fault>), Fault> {
    let out = std::mem::replace(&mut session.out, Output::memory());
    let drawn = match listing.what {
        ListTarget::Table | ListTarget::Service(_) => session.listed(listing).map(|mut table| {
            let now = signals.elapsed();
            if let Some((then, before)) = last {
                table.set_rates_since(before, now.saturating_sub(*then));
            }
            session.print(listing, &table);
            *last = Some((now, table));
        }),
        _ => session.list(listing),
    };
    let text = std::mem::replace(&mut session.out, out).into_bytes();
    match drawn {
        Ok(()) => Ok((text, None)),
        Err(fault) if fault.is_partial => Ok((text, Some(fault))),
        Err(fault) => Err(fault),
    }
}

/// Waits for the next turn. Returns whether there is one.
fn wait(signals: &mut Signals, until: Duration, keys: bool) -> Result<bool, Fault> {
    if !keys {
        return Ok(signals.wait_until(until));
    }
    while signals.count() == 0 {
        let left = until.saturating_sub(signals.elapsed());
        if left.is_zero() {
            return Ok(true);
        }
        if event::poll(left.min(POLL_INTERVAL)).map_err(|error| terminal_fault(&error))? {
            match event::read().map_err(|error| terminal_fault(&error))? {
                Event::Key(key) if key.kind == KeyEventKind::Press => match key.code {
                    KeyCode::Char('q' | 'Q') => return Ok(false),
                    // In raw mode the interrupt key is one like all others.
                    KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => return Ok(false),
                    _ => {}
                },
                Event::Resize(..) => return Ok(true),
                _ => {}
            }
        }
    }
    Ok(false)
}

/// The terminal, given back as it was in the end.
struct Screen {
    has_keys: bool,
}

impl Screen {
    fn open() -> Result<Self, Fault> {
        let has_keys = io::stdin().is_terminal();
        if has_keys {
            terminal::enable_raw_mode().map_err(|error| terminal_fault(&error))?;
        }
        let screen = Self { has_keys };
        execute!(io::stdout(), terminal::EnterAlternateScreen, cursor::Hide).map_err(|error| terminal_fault(&error))?;
        Ok(screen)
    }

    /// Draws as much as fits.
    fn show(&self, text: &[u8], interval: Duration) -> Result<(), Fault> {
        let (columns, rows) = terminal::size().map_err(|error| terminal_fault(&error))?;
        let how_to_end = if self.has_keys { "q" } else { "an interrupt" };
        let title = format!("every {} s, {how_to_end} ends it", interval.as_secs_f64());
        let frame = frame(&title, &String::from_utf8_lossy(text), columns.into(), rows.into());
        execute!(io::stdout(), cursor::MoveTo(0, 0), terminal::Clear(terminal::ClearType::All))
            .map_err(|error| terminal_fault(&error))?;
        io::Write::write_all(&mut io::stdout(), frame.as_bytes()).map_err(|error| terminal_fault(&error))?;
        io::Write::flush(&mut io::stdout()).map_err(|error| terminal_fault(&error))
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = execute!(io::stdout(), cursor::Show, terminal::LeaveAlternateScreen);
        if self.has_keys {
            let _ = terminal::disable_raw_mode();
        }
    }
}

/// Lines cut to the size of the terminal; the last one says how many do not fit.
fn frame(title: &str, text: &str, columns: usize, rows: usize) -> String {
    let lines: Vec<&str> = [title].into_iter().chain(text.lines()).collect();
    let cut = |line: &str| line.chars().filter(|c| !c.is_control()).take(columns).collect::<String>();
    let mut shown: Vec<String> = lines.iter().take(rows).map(|line| cut(line)).collect();
    if let Some(last) = shown.last_mut().filter(|_| lines.len() > rows) {
        *last = cut(&format!("and {} more lines", lines.len() - rows + 1));
    }
    // Without a line end after the last one, which would scroll.
    shown.join("\r\n")
}

fn terminal_fault(error: &io::Error) -> Fault {
    Fault::list(format!("the terminal: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frame_fits_the_terminal() {
        assert_eq!(frame("title", "one\ntwo\n", 80, 24), "title\r\none\r\ntwo");
        assert_eq!(frame("title", "one\ntwo\nthree\n", 3, 3), "tit\r\none\r\nand");
        assert_eq!(frame("title", "one\ntwo\nthree\n", 80, 3), "title\r\none\r\nand 2 more lines");
        assert_eq!(frame("title", "one\n", 80, 0), "");
    }
}

//! Files that are read and written with care: whole, within limits, and only regular files where one is expected.

use std::fs::{self, File, FileType, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;

use nix::fcntl::OFlag;

/// Reads a regular file of at most `longest` bytes.
///
/// A FIFO or a device is not waited for. A symbolic link is followed: certificates mostly are one.
pub fn read(path: &Path, longest: u64) -> io::Result<Vec<u8>> {
    let flags = (OFlag::O_NONBLOCK | OFlag::O_NOCTTY).bits();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    let found = file.metadata()?.file_type();
    if !found.is_file() {
        return Err(io::Error::other(format!("expected a regular file, found {}", kind(found))));
    }
    let bytes = limited(file, longest)?;
    bytes.ok_or_else(|| io::Error::other(format!("expected at most {longest} bytes, found more")))
}

/// Reads a file of any kind to its end; `None` if it has more than `longest` bytes.
pub fn read_at_most(path: &Path, longest: u64) -> io::Result<Option<Vec<u8>>> {
    limited(File::open(path)?, longest)
}

fn limited(file: File, longest: u64) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    file.take(longest.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 <= longest).then_some(bytes))
}

/// Writes a file that is not there yet: all of it, on the disk and for its owner alone, or nothing.
pub fn create(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600).custom_flags(OFlag::O_NOFOLLOW.bits());
    let mut file = options.open(path)?;
    file.write_all(bytes).and_then(|()| file.sync_all()).inspect_err(|_| drop(fs::remove_file(path)))
}

/// Writes a file that is new, or replaces a regular one: all of it, or nothing.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    match fs::symlink_metadata(path).map(|metadata| metadata.file_type()) {
        Ok(found) if !found.is_file() => {
            return Err(io::Error::other(format!("expected a regular file or a new name, found {}", kind(found))));
        }
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(_) | Err(_) => {}
    }
    let name = path.file_name().ok_or_else(|| io::Error::other("expected the name of a file"))?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let beside = tempfile::Builder::new().prefix(name).suffix(".tmp").make_in(folder, |path| create(path, bytes))?;
    beside.persist(path)?;
    // The new name reaches the disk where the file system can do that.
    let _ = File::open(folder).and_then(|folder| folder.sync_all());
    Ok(())
}

fn kind(found: FileType) -> &'static str {
    match found {
        found if found.is_dir() => "a directory",
        found if found.is_symlink() => "a symbolic link",
        found if found.is_fifo() => "a FIFO",
        found if found.is_socket() => "a socket",
        _ => "a device",
    }
}

#[cfg(test)]
mod tests;

//! The archive format of an initial RAM file system ("newc"): what the kernel unpacks into the guest's root.

use std::io::{self, Read, Write};

/// Writes entries one after the other; everything belongs to root.
pub struct Archive<W> {
    out: W,
    written: u64,
    inode: u32,
}

impl<W: Write> Archive<W> {
    pub fn new(out: W) -> Self {
        Self { out, written: 0, inode: 0 }
    }

    pub fn directory(&mut self, path: &str, mode: u32) -> io::Result<()> {
        self.header(path, DIRECTORY | mode, 2, 0, 0)
    }

    pub fn symlink(&mut self, path: &str, target: &str) -> io::Result<()> {
        let size = u32::try_from(target.len()).map_err(io::Error::other)?;
        self.header(path, SYMLINK | 0o777, 1, size, 0)?;
        self.bytes(target.as_bytes())?;
        self.pad(4)
    }

    /// A regular file of exactly `size` bytes, read from `content`.
    pub fn file(&mut self, path: &str, mode: u32, modified: u32, size: u64, content: impl Read) -> io::Result<()> {
        // The format has eight hexadecimal digits for a size.
        let short = u32::try_from(size)
            .map_err(|_| io::Error::other(format!("{path} has {size} bytes, more than an initramfs holds")))?;
        self.header(path, REGULAR | mode, 1, short, modified)?;
        let copied = io::copy(&mut content.take(size), &mut self.out)?;
        if copied != size {
            return Err(io::Error::other(format!("{path} changed while being read")));
        }
        self.written += copied;
        self.pad(4)
    }

    /// Ends the archive. It is padded so that another one may follow in the same file.
    pub fn finish(mut self) -> io::Result<W> {
        self.header("TRAILER!!!", 0, 1, 0, 0)?;
        self.pad(512)?;
        self.out.flush()?;
        Ok(self.out)
    }

    fn header(&mut self, path: &str, mode: u32, links: u32, size: u32, modified: u32) -> io::Result<()> {
        self.inode += 1;
        let name_size = u32::try_from(path.len() + 1).map_err(io::Error::other)?;
        // inode, mode, uid, gid, links, mtime, size, device major and minor, the node's major and minor, name, checksum
        let fields = [self.inode, mode, 0, 0, links, modified, size, 0, 0, 0, 0, name_size, 0];
        let mut header = String::from("070701");
        for field in fields {
            header.push_str(&format!("{field:08x}"));
        }
        header.push_str(path);
        header.push('\0');
        self.bytes(header.as_bytes())?;
        self.pad(4)
    }

    fn bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.written += bytes.len() as u64;
        self.out.write_all(bytes)
    }

    fn pad(&mut self, to: u64) -> io::Result<()> {
        while !self.written.is_multiple_of(to) {
            self.bytes(&[0])?;
        }
        Ok(())
    }
}

const DIRECTORY: u32 = 0o040_000;
const REGULAR: u32 = 0o100_000;
const SYMLINK: u32 = 0o120_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_aligned_and_the_archive_can_be_followed() {
        let mut archive = Archive::new(Vec::new());
        archive.directory("bin", 0o755).unwrap();
        archive.file("bin/hello", 0o755, 0, 5, &b"hello"[..]).unwrap();
        archive.symlink("sh", "bin/hello").unwrap();
        let bytes = archive.finish().unwrap();

        assert_eq!(bytes.len() % 512, 0);
        let starts: Vec<usize> = (0..bytes.len() - 6).filter(|at| &bytes[*at..*at + 6] == b"070701").collect();
        assert_eq!(starts.len(), 4);
        assert!(starts.iter().all(|start| start % 4 == 0));
        // Size is the seventh field of a header.
        assert_eq!(&bytes[starts[1] + 6 + 6 * 8..starts[1] + 6 + 7 * 8], b"00000005");
        let content = starts[1] + (110usize + "bin/hello\0".len()).next_multiple_of(4);
        assert_eq!(&bytes[content..content + 5], b"hello");
    }

    #[test]
    fn a_file_that_shrank_is_an_error() {
        let mut archive = Archive::new(Vec::new());
        assert!(archive.file("f", 0o644, 0, 9, &b"short"[..]).is_err());
    }
}

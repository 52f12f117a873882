use std::fmt;

/// The way to a value: `services[2].destinations[0].weight`.
#[derive(Clone, Copy, Debug)]
pub(super) enum Path<'p> {
    File,
    Key(&'p Path<'p>, &'static str),
    Item(&'p Path<'p>, usize),
}

impl<'p> Path<'p> {
    pub(super) const fn key(&'p self, key: &'static str) -> Self {
        Path::Key(self, key)
    }

    pub(super) const fn item(&'p self, place: usize) -> Self {
        Path::Item(self, place)
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Path::File => Ok(()),
            Path::Key(Path::File, key) => f.write_str(key),
            Path::Key(before, key) => write!(f, "{before}.{key}"),
            Path::Item(before, place) => write!(f, "{before}[{place}]"),
        }
    }
}

//! A file as it was written, with the places where its values stand.
//!
//! Files are lowered from this form: of a file that was parsed it has positions, of [`spec`] values it has none.

#![cfg_attr(not(feature = "yaml"), allow(dead_code, reason = "only what was parsed has positions and is broken"))]

#[cfg(feature = "yaml")]
mod decode;
mod findings;
mod spot;
#[cfg(test)]
mod tests;

#[cfg(feature = "yaml")]
pub(in crate::desired) use decode::Decoder;
pub(in crate::desired) use findings::Findings;
pub(in crate::desired) use spot::Spot;

use super::diagnostic::Position;
use super::spec::{self, Duration, Stats};
#[cfg(feature = "yaml")]
use super::yaml::Node;

/// The value of a key, and where it stands.
#[derive(Clone, Debug, Default)]
pub(in crate::desired) enum Field<T> {
    /// The key does not stand there, or nothing stands behind it.
    #[default]
    Absent,
    /// There is a value that cannot be read, and whatever there is to say of it was said.
    Broken,
    At(T, Position),
}

/// An item of a list; those that cannot be read are left out of it.
#[derive(Clone, Debug)]
pub(in crate::desired) struct Item<T> {
    pub(in crate::desired) place: usize,
    pub(in crate::desired) position: Position,
    pub(in crate::desired) value: T,
}

/// Something that can be a value of a file.
pub(in crate::desired) trait Form: Sized {
    /// The same without positions.
    type Spec;
    /// Its name in messages.
    const WHAT: &'static str;

    fn of(spec: &Self::Spec) -> Self;

    fn into_spec(self) -> Self::Spec;

    /// Where the value of a key stands, such as `tunnel.type`.
    fn locate(&self, _path: &str) -> Option<Position> {
        None
    }

    /// Whether it is a mapping that says nothing.
    #[cfg(feature = "yaml")]
    fn is_hollow(&self) -> bool {
        false
    }

    /// Reads a value; nothing if it is wrong, which is then said.
    #[cfg(feature = "yaml")]
    fn read(decoder: &mut Decoder<'_>, node: Node<'_>, spot: &Spot<'_>) -> Option<Self>;
}

impl<T> Field<T> {
    pub(in crate::desired) const fn get(&self) -> Option<&T> {
        match self {
            Self::At(value, _) => Some(value),
            Self::Absent | Self::Broken => None,
        }
    }

    pub(in crate::desired) const fn position(&self) -> Option<Position> {
        match self {
            Self::At(_, position) => Some(*position),
            Self::Absent | Self::Broken => None,
        }
    }

    pub(in crate::desired) const fn is_broken(&self) -> bool {
        matches!(self, Self::Broken)
    }

    pub(in crate::desired) const fn is_said(&self) -> bool {
        matches!(self, Self::At(..))
    }
}

impl<T: Form> Field<T> {
    fn of(spec: Option<&T::Spec>) -> Self {
        spec.map_or(Self::Absent, |spec| Self::At(T::of(spec), Position::default()))
    }

    fn into_spec(self) -> Option<T::Spec> {
        match self {
            Self::At(value, _) => Some(value.into_spec()),
            Self::Absent | Self::Broken => None,
        }
    }
}

impl<T> Field<Vec<Item<T>>> {
    /// The items of a list, none where there is no list.
    pub(in crate::desired) fn items(&self) -> impl Iterator<Item = &Item<T>> {
        self.get().into_iter().flatten()
    }
}

impl<T: AsRef<str>> Field<T> {
    /// Text; an empty one is as good as none.
    pub(in crate::desired) fn text(&self) -> Option<&str> {
        self.get().map(AsRef::as_ref).filter(|text| !text.is_empty())
    }
}

/// Makes the form of each mapping: its keys, in the order in which they are printed, and what stands behind them.
macro_rules! mappings {
    ($($(#[$about:meta])* $name:ident $what:literal { $($(#[$meta:meta])* $field:ident $key:tt: $type:ty as $form:ty,)* })*) => {
        $(
            #[derive(Clone, Debug, Default)]
            pub(in crate::desired) struct $name {
                $(pub(in crate::desired) $field: Field<$form>,)*
                /// Whether something in it is broken.
                #[allow(dead_code, reason = "of some mappings it does not matter")]
                pub(in crate::desired) is_damaged: bool,
            }

            impl Form for $name {
                type Spec = spec::$name;
                const WHAT: &'static str = $what;

                fn of(spec: &spec::$name) -> Self {
                    Self { $($field: Field::of(spec.$field.as_ref()),)* is_damaged: false }
                }

                fn into_spec(self) -> spec::$name {
                    spec::$name { $($field: self.$field.into_spec(),)* }
                }

                fn locate(&self, path: &str) -> Option<Position> {
                    let (key, rest) = path.split_once('.').unwrap_or((path, ""));
                    match key {
                        $($key => self.$field.get().and_then(|value| value.locate(rest)).or(self.$field.position()),)*
                        _ => None,
                    }
                }

                #[cfg(feature = "yaml")]
                fn is_hollow(&self) -> bool {
                    true $(&& !self.$field.is_said())*
                }

                #[cfg(feature = "yaml")]
                fn read(decoder: &mut Decoder<'_>, node: Node<'_>, spot: &Spot<'_>) -> Option<Self> {
                    let before = decoder.broken();
                    let fields = decoder.mapping(node, spot, $what, &[$($key),*])?;
                    $(let $field = fields.field(decoder, spot, $key);)*
                    Some(Self { $($field,)* is_damaged: decoder.broken() != before })
                }
            }
        )*

        /// Every key, with the mapping that it belongs to.
        #[cfg(test)]
        const KEYS: &[(&str, &[&str])] = &[$((stringify!($name), &[$($key),*])),*];
    };
}

spec::keys!(mappings);

/// The forms of `persistence`.
#[derive(Clone, Debug)]
pub(in crate::desired) enum Persistence {
    Switch(bool),
    Timeout(Duration),
    Settings(PersistenceSettings),
}

impl Form for Persistence {
    type Spec = spec::Persistence;
    const WHAT: &'static str = PersistenceSettings::WHAT;

    fn of(spec: &spec::Persistence) -> Self {
        match spec {
            spec::Persistence::Switch(switch) => Self::Switch(*switch),
            spec::Persistence::Timeout(timeout) => Self::Timeout(*timeout),
            spec::Persistence::Settings(settings) => Self::Settings(Form::of(settings)),
        }
    }

    fn into_spec(self) -> spec::Persistence {
        match self {
            Self::Switch(switch) => spec::Persistence::Switch(switch),
            Self::Timeout(timeout) => spec::Persistence::Timeout(timeout),
            Self::Settings(settings) => spec::Persistence::Settings(settings.into_spec()),
        }
    }

    fn locate(&self, path: &str) -> Option<Position> {
        if let Self::Settings(settings) = self { settings.locate(path) } else { None }
    }

    #[cfg(feature = "yaml")]
    fn read(decoder: &mut Decoder<'_>, node: Node<'_>, spot: &Spot<'_>) -> Option<Self> {
        let Some(scalar) = node.as_scalar() else {
            return PersistenceSettings::read(decoder, node, spot).map(Self::Settings);
        };
        let switch = scalar.as_bool().map(Self::Switch);
        switch.or_else(|| Form::read(decoder, node, spot).map(Self::Timeout))
    }
}

/// Makes forms of single values, each with the way in which a decoder reads it.
macro_rules! values {
    ($($form:ty: $what:literal, $read:expr;)*) => { $(
        impl Form for $form {
            type Spec = Self;
            const WHAT: &'static str = $what;

            fn of(spec: &Self) -> Self {
                spec.clone()
            }

            fn into_spec(self) -> Self {
                self
            }

            #[cfg(feature = "yaml")]
            fn read(decoder: &mut Decoder<'_>, node: Node<'_>, spot: &Spot<'_>) -> Option<Self> {
                $read(decoder, node, spot)
            }
        }
    )* };
}

values! {
    i64: "a whole number", Decoder::integer;
    bool: "true or false", Decoder::switch;
    Duration: "a time", Decoder::duration;
    Stats: "counters", |_, _, _| None;
}

/// Makes forms of text, each with whether parameters are replaced in it with version 1, too.
macro_rules! texts {
    ($($(#[$doc:meta])* $form:ident: $what:literal, $always:literal;)*) => { $(
        $(#[$doc])*
        #[derive(Clone, Debug, Default)]
        pub(in crate::desired) struct $form(String);

        impl AsRef<str> for $form {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl Form for $form {
            type Spec = String;
            const WHAT: &'static str = $what;

            fn of(spec: &String) -> Self {
                Self(spec.clone())
            }

            fn into_spec(self) -> String {
                self.0
            }

            #[cfg(feature = "yaml")]
            fn read(decoder: &mut Decoder<'_>, node: Node<'_>, spot: &Spot<'_>) -> Option<Self> {
                decoder.text(node, spot, $always).map(Self)
            }
        }
    )* };
}

texts! {
    /// Any text.
    Text: "text", false;
    /// The address of a service or a destination.
    Address: "an address", true;
    /// A flag of a scheduler.
    Flag: "a flag", false;
    /// A pattern of services.
    Pattern: "a pattern", false;
}

impl<T: Form> Form for Box<T> {
    type Spec = T::Spec;
    const WHAT: &'static str = T::WHAT;

    fn of(spec: &T::Spec) -> Self {
        Self::new(T::of(spec))
    }

    fn into_spec(self) -> T::Spec {
        (*self).into_spec()
    }

    fn locate(&self, path: &str) -> Option<Position> {
        (**self).locate(path)
    }

    #[cfg(feature = "yaml")]
    fn is_hollow(&self) -> bool {
        (**self).is_hollow()
    }

    #[cfg(feature = "yaml")]
    fn read(decoder: &mut Decoder<'_>, node: Node<'_>, spot: &Spot<'_>) -> Option<Self> {
        T::read(decoder, node, spot).map(Self::new)
    }
}

impl<T: Form> Form for Vec<Item<T>> {
    type Spec = Vec<T::Spec>;
    const WHAT: &'static str = "a list";

    fn of(spec: &Self::Spec) -> Self {
        let items = spec.iter().enumerate();
        items.map(|(place, spec)| Item { place, position: Position::default(), value: T::of(spec) }).collect()
    }

    fn into_spec(self) -> Self::Spec {
        self.into_iter().map(|item| item.value.into_spec()).collect()
    }

    #[cfg(feature = "yaml")]
    fn read(decoder: &mut Decoder<'_>, node: Node<'_>, spot: &Spot<'_>) -> Option<Self> {
        decoder.list(node, spot)
    }
}

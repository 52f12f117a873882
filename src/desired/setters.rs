/// Generates setters, each from a row: its doc, its name, its argument, and the change of the object that is returned.
macro_rules! setters {
    ($($(#[$doc:meta])* $name:ident($value:ident: $type:ty) |$object:ident| $change:expr;)*) => { $(
        $(#[$doc])*
        #[must_use]
        pub fn $name(self, $value: $type) -> Self {
            let mut $object = self;
            $change;
            $object
        }
    )* };
}
pub(in crate::desired) use setters;

//! Personal data that cannot be printed by accident: `Debug` says how much there is, never what.

use std::fmt;

macro_rules! private {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, Default)]
        pub struct $name(String);

        impl $name {
            /// Wraps the text as it is.
            pub fn new(text: impl Into<String>) -> $name {
                $name(text.into())
            }

            /// The text itself: for sending, storing and showing to people who may see it, never for a log.
            #[must_use]
            pub fn expose(&self) -> &str {
                &self.0
            }

            /// The text itself, owned.
            #[must_use]
            pub fn into_inner(self) -> String {
                self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({} chars)", stringify!($name), self.0.chars().count())
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> $name {
                $name(text)
            }
        }
    };
}

private!(
    /// The words of a message, in or out.
    Body
);
private!(
    /// A phone number, chat id or other address.
    Address
);
private!(
    /// A person's name in use.
    PersonName
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_the_length_and_nothing_else() {
        assert_eq!(format!("{:?}", Body::new("my chest hurts")), "Body(14 chars)");
        assert_eq!(format!("{:?}", Address::new("+17185550117")), "Address(12 chars)");
    }
}

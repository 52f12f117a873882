use netlink_packet_generic::constants::{
    CTRL_ATTR_FAMILY_ID, CTRL_ATTR_FAMILY_NAME, CTRL_ATTR_VERSION, CTRL_CMD_GETFAMILY, CTRL_CMD_NEWFAMILY,
};

use super::attr::{Attrs, Sink, Writer};
use super::error::{DecodeError, DecodeProblem};

/// The lookup of a family by its name, a request to the controller of generic netlink.
///
/// Looking up a family that does not exist makes the kernel try to load its module.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct FamilyRequest<'a> {
    name: &'a str,
}

impl<'a> FamilyRequest<'a> {
    /// A lookup of this family.
    pub const fn new(name: &'a str) -> Self {
        Self { name }
    }

    /// The number of the command (`CTRL_CMD_GETFAMILY`).
    pub const fn command(self) -> u8 {
        CTRL_CMD_GETFAMILY
    }

    /// Appends the attributes of the request to a buffer.
    pub fn encode(self, out: &mut Vec<u8>) {
        self.put(out);
    }

    pub(super) fn put<S: Sink>(self, out: &mut S) {
        Writer(out).name(CTRL_ATTR_FAMILY_NAME, self.name.as_bytes());
    }
}

/// The controller's information about a family.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct Family {
    /// The message type of the family, which stays the same as long as its module is loaded.
    pub id: u16,
    /// The version of the family; `None` where the controller does not report it.
    pub version: Option<u32>,
}

impl Family {
    /// Reads the controller's answer.
    ///
    /// # Errors
    ///
    /// When the answer is about another family, when its number is absent or reserved, and when the bytes are not
    /// attributes.
    pub fn decode(command: u8, attributes: &[u8], name: &str) -> Result<Self, DecodeError> {
        if command != CTRL_CMD_NEWFAMILY {
            return Err(DecodeError::new("genlmsghdr.cmd", 0, DecodeProblem::Unexpected));
        }
        let mut attrs = Attrs::new(attributes, 0, "message");
        let (mut id, mut version) = (None, None);
        while let Some(attr) = attrs.next()? {
            match attr.kind {
                CTRL_ATTR_FAMILY_ID => {
                    let number = attr.u16("CTRL_ATTR_FAMILY_ID")?;
                    // Numbers below 16 are control messages, of which the kernel acknowledges 0 with success whatever
                    // it holds: requests to such a "family" would seem to succeed.
                    if number < 16 {
                        return Err(attr.out_of_range("CTRL_ATTR_FAMILY_ID", number));
                    }
                    id = Some(number);
                }
                CTRL_ATTR_FAMILY_NAME if attr.name("CTRL_ATTR_FAMILY_NAME")? != name.as_bytes() => {
                    return Err(DecodeError::new("CTRL_ATTR_FAMILY_NAME", attr.offset, DecodeProblem::Unexpected));
                }
                CTRL_ATTR_VERSION => version = Some(attr.u32("CTRL_ATTR_VERSION")?),
                _ => {}
            }
        }
        Ok(Self { id: id.ok_or(DecodeError::missing("CTRL_ATTR_FAMILY_ID", 0))?, version })
    }
}

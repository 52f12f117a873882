//! Feature `serde`: connections as data, with the names that the kernel prints.

use super::{ConnectionOrigin, ConnectionProtocol, ConnectionState};
use crate::model::as_text;

as_text! {
    ConnectionOrigin "LOCAL or SYNC",
    ConnectionProtocol "the protocol of a connection, such as TCP",
    ConnectionState "the state of a connection, such as ESTABLISHED",
}

//! The traits of every public type, checked when this file compiles.

use std::error::Error;
use std::fmt::{Debug, Display};
use std::hash::Hash;
use std::str::FromStr;

use ipvs_rs::model::ParseError;
use ipvs_rs::procfs::*;

/// Whatever can be stored in a map, sent to another thread and shown.
fn value<T: Clone + Debug + Eq + Hash + Send + Sync + Unpin + 'static>() {}
fn shared<T: Debug + Send + Sync + Unpin + 'static>() {}
fn ordered<T: Ord>() {}
fn copy<T: Copy>() {}
fn display<T: Display>() {}
fn text<T: FromStr<Err = ParseError>>() {}
fn error<T: Error + Clone + Send + Sync + 'static>() {}

macro_rules! assert_all {
    ($($check:ident: $($type:ty),+;)*) => { $( $( $check::<$type>(); )+ )* };
}

#[test]
fn types_have_their_traits() {
    assert_all! {
        value: Connection, ConnectionOrigin, ConnectionProtocol, ConnectionState, CpuCounters, EngineData,
            KernelVersion, ProcfsErrorKind, ProcfsOperation, Sysctl, SysctlAccess, SysctlInfo, SysctlKind, SysctlValue, Word;
        shared: Connections, Connections<&[u8]>, CpuStats, Modules, ProcfsError;
        ordered: ConnectionOrigin, ConnectionProtocol, ConnectionState, KernelVersion, Sysctl, Word;
        copy: ConnectionOrigin, ConnectionProtocol, ConnectionState, CpuCounters, KernelVersion, ProcfsErrorKind,
            ProcfsOperation, Sysctl, SysctlAccess, SysctlInfo, SysctlKind, Word;
        display: Connection, ConnectionOrigin, ConnectionProtocol, ConnectionState, KernelVersion, ProcfsError,
            ProcfsOperation, Sysctl, SysctlKind, SysctlValue, Word;
        text: Connection, ConnectionOrigin, ConnectionProtocol, ConnectionState, Sysctl;
        error: ProcfsError;
    }
    #[cfg(target_os = "linux")]
    shared::<Procfs>();
    #[cfg(feature = "serde")]
    {
        fn data<T: serde::Serialize + serde::de::DeserializeOwned>() {}
        assert_all! {
            data: Connection, ConnectionOrigin, ConnectionProtocol, ConnectionState, EngineData;
        }
    }
}

#[test]
fn error_is_as_small_as_a_pointer() {
    assert_eq!(size_of::<ProcfsError>(), size_of::<usize>());
}

use super::attr::{Attr, Attrs, ShortAttribute, Sink, Writer};
use super::consts::{
    IPVS_CMD_ATTR_TIMEOUT_TCP, IPVS_CMD_ATTR_TIMEOUT_TCP_FIN, IPVS_CMD_ATTR_TIMEOUT_UDP, IPVS_INFO_ATTR_CONN_TAB_SIZE,
    IPVS_INFO_ATTR_VERSION,
};
use super::error::DecodeError;
use crate::model::{Config, Info, Timeout, Version};

pub(super) fn encode<S: Sink>(out: &mut Writer<'_, S>, config: &Config) {
    for (kind, timeout) in [
        (IPVS_CMD_ATTR_TIMEOUT_TCP, config.tcp),
        (IPVS_CMD_ATTR_TIMEOUT_TCP_FIN, config.tcp_fin),
        (IPVS_CMD_ATTR_TIMEOUT_UDP, config.udp),
    ] {
        if let Some(timeout) = timeout {
            out.words([ShortAttribute::u32(kind, timeout.as_secs())]);
        }
    }
}

pub(super) fn decode(mut attrs: Attrs<'_>) -> Result<Config, DecodeError> {
    let mut config = Config::new();
    while let Some(attr) = attrs.next()? {
        match attr.kind {
            IPVS_CMD_ATTR_TIMEOUT_TCP => config.tcp = Some(timeout(attr, "IPVS_CMD_ATTR_TIMEOUT_TCP")?),
            IPVS_CMD_ATTR_TIMEOUT_TCP_FIN => config.tcp_fin = Some(timeout(attr, "IPVS_CMD_ATTR_TIMEOUT_TCP_FIN")?),
            IPVS_CMD_ATTR_TIMEOUT_UDP => config.udp = Some(timeout(attr, "IPVS_CMD_ATTR_TIMEOUT_UDP")?),
            _ => {}
        }
    }
    Ok(config)
}

fn timeout(attr: Attr<'_>, name: &'static str) -> Result<Timeout, DecodeError> {
    let seconds = attr.u32(name)?;
    Timeout::from_secs(seconds).or(Err(attr.out_of_range(name, seconds)))
}

pub(super) fn encode_info<S: Sink>(out: &mut Writer<'_, S>, info: Info) {
    let [high, major] = info.version.major.to_be_bytes();
    let version = u32::from_be_bytes([high, major, info.version.minor, info.version.patch]);
    out.words([
        ShortAttribute::u32(IPVS_INFO_ATTR_VERSION, version),
        ShortAttribute::u32(IPVS_INFO_ATTR_CONN_TAB_SIZE, info.connection_table_size),
    ]);
}

pub(super) fn decode_info(mut attrs: Attrs<'_>) -> Result<Info, DecodeError> {
    let offset = attrs.offset();
    let (mut version, mut size) = (None, None);
    while let Some(attr) = attrs.next()? {
        match attr.kind {
            IPVS_INFO_ATTR_VERSION => version = Some(attr.u32("IPVS_INFO_ATTR_VERSION")?),
            IPVS_INFO_ATTR_CONN_TAB_SIZE => size = Some(attr.u32("IPVS_INFO_ATTR_CONN_TAB_SIZE")?),
            _ => {}
        }
    }
    let version = version.ok_or_else(|| DecodeError::missing("IPVS_INFO_ATTR_VERSION", offset))?;
    let connection_table_size = size.ok_or_else(|| DecodeError::missing("IPVS_INFO_ATTR_CONN_TAB_SIZE", offset))?;
    Ok(Info { version: Version::from_number(version), connection_table_size })
}

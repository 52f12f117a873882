use std::num::NonZeroU32;

use serde::de::{Deserialize, Deserializer, Error as _};
use serde::ser::{Serialize, Serializer};

use super::number::Number;
use crate::model::{
    Destination, DestinationId, ForwardMethod, Granularity, InvalidValue, ParseError, Persistence, PersistenceEngine,
    Scheduler, SchedulerFlags, Service, ServiceFlags, ServiceId, Thresholds, Tunnel, Weight,
};

#[derive(serde::Serialize)]
#[serde(rename = "Service")]
struct ServiceOut<'a> {
    id: ServiceId,
    scheduler: Scheduler,
    #[serde(skip_serializing_if = "String::is_empty")]
    scheduler_flags: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    persistence: Option<&'a Persistence>,
    #[serde(skip_serializing_if = "is_default")]
    one_packet: bool,
    #[serde(skip_serializing_if = "is_default")]
    unnamed_flags: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    dormant_persistence: Option<&'a Persistence>,
}

impl Serialize for Service {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let dormant = self.stored_persistence().filter(|stored| **stored != Persistence::NEUTRAL);
        let record = ServiceOut {
            id: self.id,
            scheduler: self.scheduler,
            scheduler_flags: self.scheduler_flags.notation(&self.scheduler),
            persistence: self.persistence.as_ref(),
            one_packet: self.one_packet,
            unnamed_flags: self.unnamed_flags,
            dormant_persistence: dormant.filter(|_| self.persistence.is_none()),
        };
        record.serialize(serializer)
    }
}

#[derive(serde::Deserialize)]
#[serde(rename = "Service", deny_unknown_fields)]
struct ServiceIn {
    id: ServiceId,
    scheduler: Scheduler,
    #[serde(default)]
    scheduler_flags: String,
    persistence: Option<Persistence>,
    #[serde(default)]
    one_packet: bool,
    #[serde(default)]
    unnamed_flags: u32,
    dormant_persistence: Option<Persistence>,
}

impl<'de> Deserialize<'de> for Service {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let record = ServiceIn::deserialize(deserializer)?;
        let flags = record.flags().map_err(D::Error::custom)?;
        record.check().map_err(D::Error::custom)?;

        let mut service = Self::new(record.id, record.scheduler).scheduler_flags(flags).one_packet(record.one_packet);
        service.persistence = record.persistence;
        service.unnamed_flags = record.unnamed_flags;
        service.dormant_persistence = record.dormant_persistence;
        service.validate().map_err(D::Error::custom)?;
        Ok(service)
    }
}

impl ServiceIn {
    fn flags(&self) -> Result<SchedulerFlags, ParseError> {
        SchedulerFlags::from_notation(&self.scheduler_flags, &self.scheduler)
    }

    /// Checks that settings without effect do not contradict those in effect.
    fn check(&self) -> Result<(), InvalidValue> {
        if ServiceFlags::NAMED.bits() & self.unnamed_flags != 0 {
            let expected = "bits that have no name";
            return Err(InvalidValue::unfit("unnamed flags", format_args!("{:#x}", self.unnamed_flags), expected));
        }
        match self.dormant_persistence {
            Some(dormant) if self.persistence.is_some() => {
                let expected = "nothing where persistence is in effect";
                Err(InvalidValue::unfit("dormant persistence", format_args!("\"{dormant}\""), expected))
            }
            _ => Ok(()),
        }
    }
}

#[derive(serde::Serialize)]
#[serde(rename = "Destination")]
struct DestinationOut {
    id: DestinationId,
    forward: ForwardMethod,
    weight: Weight,
    #[serde(skip_serializing_if = "is_default")]
    thresholds: Thresholds,
    #[serde(skip_serializing_if = "Option::is_none")]
    dormant_tunnel: Option<Tunnel>,
}

impl Serialize for Destination {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let dormant = match self.forward {
            ForwardMethod::Tunnel(_) => None,
            _ => Some(self.dormant_tunnel).filter(|tunnel| *tunnel != Tunnel::ipip()),
        };
        let record = DestinationOut {
            id: self.id,
            forward: self.forward,
            weight: self.weight,
            thresholds: self.thresholds,
            dormant_tunnel: dormant,
        };
        record.serialize(serializer)
    }
}

#[derive(serde::Deserialize)]
#[serde(rename = "Destination", deny_unknown_fields)]
struct DestinationIn {
    id: DestinationId,
    forward: ForwardMethod,
    #[serde(default)]
    weight: Weight,
    #[serde(default)]
    thresholds: Thresholds,
    dormant_tunnel: Option<Tunnel>,
}

impl<'de> Deserialize<'de> for Destination {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let record = DestinationIn::deserialize(deserializer)?;
        let mut destination = Self::new(record.id, record.forward).thresholds(record.thresholds);
        destination.weight = record.weight;
        match (record.dormant_tunnel, record.forward) {
            (Some(tunnel), ForwardMethod::Tunnel(_)) => {
                let error = InvalidValue::unfit("dormant tunnel", tunnel, "nothing where a tunnel is in effect");
                return Err(D::Error::custom(error));
            }
            (dormant, _) => destination.dormant_tunnel = dormant.unwrap_or(Tunnel::ipip()),
        }
        Ok(destination)
    }
}

#[derive(serde::Serialize)]
#[serde(rename = "Persistence")]
struct PersistenceOut {
    timeout_secs: u32,
    #[serde(skip_serializing_if = "is_default")]
    granularity: Granularity,
    #[serde(skip_serializing_if = "Option::is_none")]
    engine: Option<PersistenceEngine>,
}

impl Serialize for Persistence {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { granularity, engine, .. } = *self;
        PersistenceOut { timeout_secs: self.timeout_secs(), granularity, engine }.serialize(serializer)
    }
}

#[derive(serde::Deserialize)]
#[serde(rename = "Persistence", deny_unknown_fields)]
struct PersistenceIn {
    timeout_secs: Number,
    #[serde(default)]
    granularity: Granularity,
    engine: Option<PersistenceEngine>,
}

impl<'de> Deserialize<'de> for Persistence {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let PersistenceIn { timeout_secs, granularity, engine } = PersistenceIn::deserialize(deserializer)?;
        let timeout =
            timeout_secs.narrow("persistence timeout", "0 to 4294967295 seconds").map_err(D::Error::custom)?;
        let mut persistence = Self::verbatim(timeout);
        persistence.granularity = granularity;
        persistence.engine = engine;
        Ok(persistence)
    }
}

#[derive(serde::Serialize)]
#[serde(rename = "Thresholds")]
struct ThresholdsOut {
    #[serde(skip_serializing_if = "Option::is_none")]
    upper: Option<NonZeroU32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lower: Option<NonZeroU32>,
}

impl Serialize for Thresholds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        ThresholdsOut { upper: self.upper(), lower: self.lower() }.serialize(serializer)
    }
}

#[derive(Default, serde::Deserialize)]
#[serde(rename = "Thresholds", default, deny_unknown_fields)]
struct ThresholdsIn {
    upper: Number,
    lower: Number,
}

impl ThresholdsIn {
    fn check(&self) -> Result<Thresholds, InvalidValue> {
        let upper = self.upper.narrow("upper threshold", "0 to 4294967295 connections")?;
        let lower = self.lower.narrow("lower threshold", "0 to the upper threshold")?;
        Thresholds::verbatim(upper, 0).with_lower(lower)
    }
}

impl<'de> Deserialize<'de> for Thresholds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        ThresholdsIn::deserialize(deserializer)?.check().map_err(D::Error::custom)
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

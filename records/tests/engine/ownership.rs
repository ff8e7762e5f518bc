//! Who owns which records of a zone.

mod affix;
mod cipher;
mod groups;
mod heritage;
mod holdings;
mod laws;
mod refusals;
mod zone;

//! The record engine against real servers.

mod webhook;

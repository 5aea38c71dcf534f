//! One file per command.

pub mod audit;
pub mod connector;
pub mod demo;
pub mod doctor;
pub mod environment;
pub mod feed;
pub mod fields;
pub mod integration;
pub mod key;
pub mod link;
pub mod login_link;
pub mod logs;
pub mod person;
pub mod posting;
pub mod sandbox;
pub mod scope;
pub mod serve;
pub mod setup;
pub mod trust;
pub mod webhook;

//! Ways to reach a tool. HTTP is one of them; each of the others has its own file.

pub mod dial;
pub mod ldap;
pub mod refusal;
pub mod sftp;

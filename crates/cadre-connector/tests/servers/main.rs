//! The transports against real servers that the tests start: OpenSSH and OpenLDAP.

// Taken as files, and not through the crate: as a dependency it would build the store, the API and all
// the rest before the first of these tests could run.
#[allow(dead_code)]
#[path = "../../../cadre-testkit/src/openldap.rs"]
mod openldap;
#[allow(dead_code)]
#[path = "../../../cadre-testkit/src/openssh.rs"]
mod openssh;

mod connectors;
mod ldap;
mod sftp;
mod sftp_password;

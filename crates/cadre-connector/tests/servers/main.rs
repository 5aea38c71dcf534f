//! Transports and connectors against real servers that the tests start: OpenSSH, OpenLDAP, Tryton and a
//! SCIM service.

// Taken as files, and not through the crate: as a dependency it would build the store, the API and all
// the rest before the first of these tests could run.
#[allow(dead_code)]
#[path = "../../../cadre-testkit/src/openldap.rs"]
mod openldap;
#[allow(dead_code)]
#[path = "../../../cadre-testkit/src/openssh.rs"]
mod openssh;
#[allow(dead_code)]
#[path = "../../../cadre-testkit/src/scim_service.rs"]
mod scim_service;
#[allow(dead_code)]
#[path = "../../../cadre-testkit/src/tryton.rs"]
mod tryton;

mod certificate;
mod connectors;
mod ldap;
mod sftp;
mod sftp_password;
mod systems;

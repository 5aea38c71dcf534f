//! A request: what its parts may use, and that it has one body.

use super::Checker;
use super::place::Place;
use crate::format::Format;
use crate::manifest::{Method, Request, Response};

impl Checker<'_> {
    pub(super) fn request(
        &mut self,
        path: &str,
        request: &Request,
        in_path: Place,
        elsewhere: Place,
    ) {
        self.expression(&format!("{path}/path"), request.path.expr(), in_path);
        let source = request.path.expr().source();
        if self.manifest.base_url.is_none() && !source.starts_with("http") {
            self.at(
                &format!("{path}/path"),
                "the path is relative, but there is no `base_url`",
                None,
            );
        }
        for (name, parameter) in &request.query {
            self.expression(&format!("{path}/query/{name}"), parameter.expr(), elsewhere);
        }
        for (name, parameter) in &request.headers {
            self.expression(&format!("{path}/headers/{name}"), parameter.expr(), elsewhere);
        }
        if let Some(body) = &request.body {
            self.expression(&format!("{path}/body"), body.expr(), elsewhere);
        }
        for (key, form) in [("multipart", &request.multipart), ("form", &request.form)] {
            if let Some(form) = form {
                self.expression(&format!("{path}/{key}"), form.expr(), elsewhere);
            }
        }
        for (key, text) in [("xml", &request.xml), ("soap", &request.soap)] {
            if let Some(text) = text {
                self.expression(&format!("{path}/{key}"), text.expr(), elsewhere);
            }
        }
        let bodies = [&request.body, &request.multipart, &request.form];
        let texts = [&request.xml, &request.soap];
        let count = bodies.into_iter().flatten().count() + texts.into_iter().flatten().count();
        if count > 1 {
            let message = "a request has one of `body`, `form`, `multipart`, `xml` and `soap`";
            self.at(path, message, None);
        }
        if request.soap.is_some() && request.method != Method::Post {
            let hint = Some("state `method: POST`".to_owned());
            self.at(&format!("{path}/soap"), "SOAP requests are posted", hint);
        }
    }

    /// `lists` names elements of XML.
    pub(super) fn response(&mut self, path: &str, response: &Response) {
        if !response.lists.is_empty() && response.format != Format::Xml {
            let message = "`lists` names elements of XML, but the format is another one";
            self.at(&format!("{path}/lists"), message, Some("state `format: xml`".to_owned()));
        }
        for (at, name) in response.lists.iter().enumerate() {
            if name.contains(':') || name.starts_with('@') {
                let hint = Some("names have no prefix, and attributes are never lists".to_owned());
                self.at(&format!("{path}/lists/{at}"), format!("`{name}` is no element"), hint);
            }
        }
    }
}

//! `cadre link`: links with which end customers link their accounts.

use cadre_jobs::Parts;
use cadre_jobs::setup::steps;
use cadre_model::email::is_email;
use cadre_model::time::wire as print_time;
use cadre_store::{EndUser, LinkPurpose, LinkRequest, LinkType, NewConnectLink};
use clap::Subcommand;

use super::integration::integration_scope;
use super::key::environment_scope;
use crate::Failed;
use crate::config::{Config, Overrides};
use crate::wire;

/// Links for end customers. Whoever has a link can use it: send it to the right person only.
#[derive(Debug, Subcommand)]
pub enum LinkCommand {
    /// Make a link with which an end customer links an account, and print it.
    Create {
        /// Name of the customer.
        #[arg(long)]
        organization: String,
        /// E-mail address of the person who links the account.
        #[arg(long)]
        email: String,
        /// Your own id of the customer.
        #[arg(long)]
        origin_id: Option<String>,
        /// `HRIS` or `ATS`.
        #[arg(long, default_value = "HRIS")]
        category: String,
        /// Slug of the tool; without it the customer chooses.
        #[arg(long)]
        tool: Option<String>,
        /// Have the customer choose which employees are read.
        #[arg(long)]
        filtering: bool,
        /// Have the customer say which of their fields fill your custom fields.
        #[arg(long)]
        field_mapping: bool,
        /// Language of the pages: `en` or `de`.
        #[arg(long)]
        language: Option<String>,
        /// A link for a frame in your product, which lasts an hour; without it, one to be sent, which
        /// lasts a year.
        #[arg(long)]
        embedded: bool,
        /// Environment: `production` or `development`.
        #[arg(long, default_value = "production")]
        environment: String,
    },
    /// Make a link with which an end customer renews the credentials of an integration, and print it.
    Reconnect {
        /// Id of the integration.
        id: String,
        /// Language of the pages: `en` or `de`.
        #[arg(long)]
        language: Option<String>,
        /// A link for a frame in your product, which lasts an hour; without it, one to be sent, which
        /// lasts a year.
        #[arg(long)]
        embedded: bool,
    },
    /// Make a link with which an end customer finishes the set-up of an integration, or changes it, and
    /// print it.
    Setup {
        /// Id of the integration.
        id: String,
        /// Language of the pages: `en` or `de`.
        #[arg(long)]
        language: Option<String>,
        /// A link for a frame in your product, which lasts an hour; without it, one to be sent, which
        /// lasts a year.
        #[arg(long)]
        embedded: bool,
    },
    /// Show the latest links of an environment, and what became of them.
    List {
        /// Environment: `production` or `development`.
        #[arg(long, default_value = "production")]
        environment: String,
    },
}

impl LinkCommand {
    /// Runs the command.
    pub async fn run(self, overrides: &Overrides) -> Result<(), Failed> {
        let config = Config::read(overrides)?;
        let parts = wire::parts(&config).await?;
        let public_url = config.public(config.listen);
        match self {
            LinkCommand::Create {
                organization,
                email,
                origin_id,
                category,
                tool,
                filtering,
                field_mapping,
                language,
                embedded,
                environment,
            } => {
                if !is_email(&email) {
                    return Err(format!("--email: expected an e-mail address, got \"{email}\""));
                }
                let category = category.to_ascii_uppercase();
                fits(&parts, &category, tool.as_deref())?;
                if filtering && category != "HRIS" {
                    return Err(
                        "--filtering: filters are of employees, in the category HRIS".into()
                    );
                }
                let creator_email = Some(email);
                let end_user =
                    EndUser { organization_name: organization, creator_email, origin_id };
                let new = NewConnectLink {
                    purpose: LinkPurpose::Connect,
                    link_type: link_type(embedded),
                    integration_id: None,
                    request: LinkRequest {
                        end_user,
                        category,
                        tool,
                        language,
                        scope_config_id: None,
                        filtering,
                        field_mapping,
                    },
                };
                make(&parts, &environment, &public_url, new).await
            }
            LinkCommand::Reconnect { id, language, embedded } => {
                let asked = (LinkPurpose::Relink, link_type(embedded), language);
                about(&parts, &public_url, &id, asked).await
            }
            LinkCommand::Setup { id, language, embedded } => {
                let asked = (LinkPurpose::Setup, link_type(embedded), language);
                about(&parts, &public_url, &id, asked).await
            }
            LinkCommand::List { environment } => list(&parts, &environment).await,
        }
    }
}

/// Makes a link about an integration that is there.
async fn about(
    parts: &Parts,
    public_url: &str,
    id: &str,
    (purpose, link_type, language): (LinkPurpose, LinkType, Option<String>),
) -> Result<(), Failed> {
    let scope = integration_scope(parts, id).await?;
    let found = parts.store.integration_get(&scope).await;
    let integration = found
        .map_err(|error| error.to_string())?
        .filter(|integration| integration.deleted_at.is_none())
        .ok_or_else(|| format!("{id} was deleted"))?;
    let entry = parts.catalog.get(&integration.tool);
    let has_steps = entry.is_some_and(|entry| !steps(&entry, &integration.setup).is_empty());
    if purpose == LinkPurpose::Setup && !has_steps {
        return Err(format!(
            "{id} has no step of the set-up; switch one on with `cadre integration setup {id}`"
        ));
    }
    let environment = parts.store.system_scope(scope.environment_id()).await;
    let environment = environment.map_err(|error| error.to_string())?;
    let slug = environment.map(|scope| scope.slug().to_owned()).unwrap_or_default();
    let new = NewConnectLink {
        purpose,
        link_type,
        integration_id: Some(integration.id),
        request: LinkRequest {
            end_user: integration.end_user,
            category: integration.category,
            tool: Some(integration.tool),
            language,
            ..LinkRequest::default()
        },
    };
    make(parts, &slug, public_url, new).await
}

fn link_type(embedded: bool) -> LinkType {
    if embedded { LinkType::Embedded } else { LinkType::MagicLink }
}

/// Whether a tool of the category can be linked.
fn fits(parts: &Parts, category: &str, tool: Option<&str>) -> Result<(), Failed> {
    let fitting: Vec<String> = parts
        .catalog
        .entries()
        .filter(|entry| {
            let categories = &entry.connector.manifest().categories;
            categories.iter().any(|of| of.as_str() == category)
        })
        .map(|entry| entry.tool().to_owned())
        .collect();
    if fitting.is_empty() {
        return Err(format!("--category: there is no tool of the category \"{category}\""));
    }
    match tool {
        Some(tool) if !fitting.iter().any(|known| known == tool) => Err(format!(
            "--tool: there is no connector for \"{tool}\" in {category}; there are {}",
            fitting.join(", ")
        )),
        _ => Ok(()),
    }
}

#[expect(clippy::print_stdout, reason = "the link is the command's output")]
async fn make(
    parts: &Parts,
    environment: &str,
    public_url: &str,
    new: NewConnectLink,
) -> Result<(), Failed> {
    let scope = environment_scope(&parts.store, environment).await?;
    let made = parts.store.connect_link_create(&scope, new).await;
    let (token, ends) = made.map_err(|error| error.to_string())?;
    println!("{public_url}/connect/{}", token.expose());
    println!("It lasts until {}, and is shown only now.", print_time(ends));
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the links are the command's output")]
async fn list(parts: &Parts, environment: &str) -> Result<(), Failed> {
    let scope = environment_scope(&parts.store, environment).await?;
    let links = parts.store.connect_link_list(&scope, 50).await;
    let links = links.map_err(|error| error.to_string())?;
    if links.is_empty() {
        println!("No links in {environment}. Make one with `cadre link create`.");
    }
    for link in links {
        let state = match (link.completed_at, link.opened_at) {
            (Some(at), _) => format!("done {}", print_time(at)),
            (None, Some(at)) => format!("opened {}", print_time(at)),
            (None, None) => format!("lasts until {}", print_time(link.expires_at)),
        };
        println!(
            "{}  {}  {}  {}  {}  {state}",
            link.id,
            print_time(link.created_at),
            link.purpose,
            link.request.end_user.organization_name,
            link.integration_id.as_deref().or(link.request.tool.as_deref()).unwrap_or("any tool"),
        );
    }
    Ok(())
}

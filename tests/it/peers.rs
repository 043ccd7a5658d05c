//! What others wrote takes the other side: formats by themselves, and whole flows over HTTP. docs/peers.md says which, and how far.

mod authority;
mod dc_api;
mod flows;
mod in_person;
mod mdoc;
mod openid4vci;
mod place;
mod sd_jwt;
mod status_list;
mod types;

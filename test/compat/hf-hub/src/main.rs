//! Finds a file of a model with hf-hub, the Rust client, and prints its path:
//!
//!     hf-hub-client cache|hub REPOSITORY REVISION FILE
//!
//! `cache` looks in `$HF_HOME/hub` only; `hub` may ask `$HF_ENDPOINT`.
use hf_hub::{api::sync::ApiBuilder, Cache, Repo, RepoType};

fn main() {
    let [place, repository, revision, file] = std::env::args()
        .skip(1)
        .collect::<Vec<_>>()
        .try_into()
        .expect("four arguments");
    let repo = Repo::with_revision(repository, RepoType::Model, revision);
    let path = if place == "cache" {
        Cache::from_env().repo(repo).get(&file).expect("not in the cache")
    } else {
        let api = ApiBuilder::from_env().with_progress(false).build().expect("no client");
        api.repo(repo).get(&file).expect("not found")
    };
    println!("{}", path.display());
}

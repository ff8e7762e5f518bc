//! What is applied by an administrator.

use std::fs;
use std::path::PathBuf;

use tests::program;

fn manifests() -> PathBuf {
    program::workspace().join("manifests")
}

#[test]
fn generated_definitions_are_up_to_date() {
    for definition in api::crds() {
        let written = fs::read_to_string(manifests().join(definition.file)).unwrap();
        let generated = operator::render::to_yaml(&definition.crd).unwrap();
        assert!(
            written == generated,
            "{} is stale: run hack/generate",
            definition.file
        );
    }
}

/// A name, a kind and an API version, in order of the file names.
#[test]
fn every_manifest_is_an_object() {
    let mut count = 0;
    for entry in fs::read_dir(manifests()).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        let object: serde_json::Value = operator::render::from_yaml(&text).unwrap();
        for field in ["/apiVersion", "/kind", "/metadata/name"] {
            assert!(
                object.pointer(field).is_some_and(serde_json::Value::is_string),
                "{}: {field}",
                path.display()
            );
        }
        count += 1;
    }
    assert!(count >= 6);
}

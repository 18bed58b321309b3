use super::*;

const INDEX_TEXT: &str = r#"{
    "images": {"box:1": "box-1", "app:1": "app-1"},
    "aliases": [["box:*", "box:1"], ["app:2*", "app:1"]]
}"#;
const BOX: &str = r#"{"name": "box", "tags": ["1", "latest"], "os": "linux", "arch": "amd64",
    "layers": [
        {"id": "base", "created_by": "ADD rootfs /", "bytes": 1000, "compressed": 400, "estimated": false},
        {"created_by": "CMD [\"sh\"]"}],
    "config": {"Env": ["PATH=/bin"], "Cmd": ["sh"]}}"#;
const APP: &str = r#"{"name": "app", "tags": ["1"], "os": "linux", "arch": "amd64",
    "layers": [
        {"id": "base", "created_by": "ADD rootfs /", "bytes": 1000, "compressed": 400, "estimated": false},
        {"id": "app", "created_by": "COPY app /", "bytes": 12, "compressed": 9, "estimated": true}],
    "config": {}, "note": "coarse"}"#;

fn world() -> World {
    let mut world = World::new();
    let parts = [
        (INDEX, INDEX_TEXT),
        ("images/box-1.json", BOX),
        ("images/app-1.json", APP),
        ("layers/base.tsv", "/bin\td\n/bin/sh\tf\t755\t\t1000\n"),
        ("layers/app.tsv", "/app\tf\t\t\t12\n"),
    ];
    for (name, text) in parts {
        world.supply(name, text.as_bytes()).expect(name);
    }
    world
}

fn amd64() -> Platform {
    Platform {
        architecture: "amd64".into(),
        os: "linux".into(),
        variant: None,
    }
}

fn image(world: &World, name: &str) -> Result<Arc<BaseImage>, Missing> {
    world.image(&Reference::parse(name).expect(name), &amd64())
}

#[test]
fn a_lookup_names_the_parts_that_it_lacks() {
    let mut world = World::new();
    let full = self::world();
    let mut rounds = Vec::new();
    while let Err(Missing::Needs(names)) = image(&world, "app:2.1") {
        for name in &names {
            let part = full.parts.get(name).expect(name);
            world.supply(name, part.bytes.clone()).expect(name);
        }
        rounds.push(names.join(" "));
    }
    insta::assert_snapshot!(rounds.join("\n"), @r"
    index.json
    images/app-1.json
    layers/base.tsv layers/app.tsv
    ");
    assert_eq!(
        image(&world, "app:2.1").expect("all is there").name,
        "app:1"
    );
}

#[test]
fn images_share_the_layers_of_equal_ids() {
    let world = world();
    let (base, app) = (
        image(&world, "box").expect("box"),
        image(&world, "app:1").expect("app"),
    );
    assert_eq!(base.image.layers[0].diff_id, app.image.layers[0].diff_id);
    assert_eq!(app.image.size(), 1012);
    assert_eq!(crate::image::validate(&app.image), []);
    assert_eq!(base.image.config.config.cmd, ["sh"]);
    assert!(base.image.config.history[1].empty_layer);
    assert!(app.image.fs().find("/app").is_some());
    assert!(Arc::ptr_eq(
        &base,
        &image(&world.clone(), "box:1").expect("box")
    ));
}

#[test]
fn other_platforms_differ_in_the_config_alone() {
    let world = world();
    let arm = Platform {
        architecture: "arm64".into(),
        ..amd64()
    };
    let reference = Reference::parse("box").expect("box");
    let image = world.image(&reference, &arm).expect("box");
    assert_eq!(image.image.config.architecture, "arm64");
    let windows = Platform {
        os: "windows".into(),
        ..amd64()
    };
    let error = world.image(&reference, &windows).map(|_| ()).unwrap_err();
    insta::assert_snapshot!(error, @"failed to resolve source metadata for docker.io/library/box:latest: no match for platform in manifest: windows/amd64");
}

#[test]
fn a_name_that_nothing_has() {
    let error = image(&world(), "bxo:1").map(|_| ()).unwrap_err();
    insta::assert_snapshot!(error, @"failed to resolve source metadata for docker.io/library/bxo:1: docker.io/library/bxo:1: not found");
    let Missing::NotFound { nearest, .. } = error else {
        panic!("it is not found");
    };
    assert_eq!(nearest, ["box:1"]);
    assert!(matches!(
        image(&world(), "app:3"),
        Err(Missing::NotFound { .. })
    ));
}

#[test]
fn a_published_image_comes_first() {
    let mut world = world();
    let app = image(&world, "app:1").expect("app").image.clone();
    let before = world.clone();
    world.publish(&Reference::parse("box").expect("box"), app.clone());
    assert_eq!(image(&world, "box").expect("box").image.id(), app.id());
    assert_ne!(image(&before, "box").expect("box").image.id(), app.id());
}

#[test]
fn bad_parts_are_refused() {
    let mut world = World::new();
    let mut why = |name: &str, text: &str| {
        world
            .supply(name, text.as_bytes())
            .map_err(|error| error.to_string())
            .unwrap_err()
    };
    insta::assert_snapshot!(
        [why("nonsense", ""), why(INDEX, "{}"), why("layers/x.tsv", "/a/b\tf")].join("\n"),
        @r"
        catalog part nonsense: there is no such part
        catalog part index.json: missing field `images` at line 1 column 2
        catalog part layers/x.tsv: line 1: /a/b comes before its directory
        "
    );
}

#[test]
fn the_network_serves_what_it_is_told() {
    let mut world = World::new();
    world.serve("https://a.tst/x", Content::from("hello"));
    let body = |url: &str| world.fetch(url).map(|response| response.body);
    assert_eq!(body("https://a.tst/x"), Some(Content::from("hello")));
    assert!(body("https://a.tst/y").is_some_and(|body| body.is_stand_in()));
    assert_eq!(body("https://a.invalid/x"), None);
}

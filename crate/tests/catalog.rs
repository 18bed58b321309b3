//! The served catalog, as a whole: every image of it can be put together and weighs what it says.

mod common;

use std::collections::BTreeMap;

use common::image;
use layerwise::world::World;

#[test]
fn every_layer_weighs_what_it_says() {
    let mut world = World::new();
    let first = image(&mut world, "debian:12").expect("debian");
    assert_eq!(first.name, "debian:bookworm");
    let mut diff_ids = BTreeMap::new();
    for name in world.image_names().expect("the index is there") {
        let base = image(&mut world, &name).expect(&name);
        assert_eq!(base.transfers.len(), base.image.layers.len(), "{name}");
        for (layer, transfer) in base.image.layers.iter().zip(&base.transfers) {
            assert_eq!(
                layer.content_size, transfer.bytes,
                "{name}: {}",
                layer.diff_id
            );
            *diff_ids.entry(layer.diff_id).or_insert(0) += 1;
        }
    }
    // 225 tags share their layers.
    assert!(diff_ids.values().any(|uses| *uses > 20));
}

#[test]
fn tags_that_are_not_listed_lead_to_the_nearest() {
    let mut world = World::new();
    let mut name = |asked: &str| image(&mut world, asked).expect(asked).name.clone();
    assert_eq!(name("node:14-alpine"), "node:22-alpine");
    assert_eq!(name("node:14"), "node:22-bookworm");
    assert_eq!(name("docker.io/library/alpine:3.17"), "alpine:3.20");
    assert_eq!(name("golang:1.21"), "golang:1.22-bookworm");
    assert_eq!(name("nginx:1.25-alpine-slim"), "nginx:alpine");
}

#[test]
fn programs_are_found_where_images_have_them() {
    let mut world = World::new();
    let mut has = |name: &str, paths: &str| {
        let fs = image(&mut world, name).expect(name).image.fs();
        for path in paths.split_whitespace() {
            assert!(fs.follow(path).is_ok(), "{path} in {name}");
        }
    };
    has("busybox", "/bin/sh /bin/ls /bin/[");
    has(
        "alpine",
        "/bin/sh /sbin/apk /etc/alpine-release /usr/bin/env",
    );
    has(
        "debian:bookworm-slim",
        "/bin/sh /bin/bash /usr/bin/apt-get /usr/bin/dpkg /bin/ls",
    );
    has(
        "node:20",
        "/usr/local/bin/node /usr/local/bin/npm /usr/local/bin/npx /usr/local/bin/yarn \
         /usr/bin/git /usr/bin/curl /usr/bin/gcc /usr/bin/make /usr/bin/python3 /home/node",
    );
    has(
        "node:20-alpine",
        "/usr/local/bin/npm /usr/local/bin/yarn /bin/sh",
    );
    has(
        "nginx:alpine",
        "/usr/sbin/nginx /usr/bin/curl /etc/nginx/nginx.conf /bin/sh",
    );
    has(
        "python:3.12-slim",
        "/usr/local/bin/python /usr/local/bin/pip /usr/local/bin/python3.12 /bin/bash",
    );
    has("golang:1.22", "/usr/local/go/bin/go /usr/bin/git /go/bin");
    has("golang:1.22-alpine", "/usr/local/go/bin/go /bin/sh");
}

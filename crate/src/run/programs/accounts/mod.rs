//! Users and groups: adduser, addgroup, deluser, delgroup of busybox and of Debian; useradd,
//! groupadd and the others of shadow; passwd, chpasswd, chsh, gpasswd.

mod busybox;
mod database;
mod debian;
mod passwords;
mod shadow;

use super::super::{Call, Exit, Flavour, Program};

pub(super) const TABLE: &[Program] = &[
    Program::executed("adduser", |call| {
        either(call, busybox::adduser, debian::adduser)
    }),
    Program::executed("addgroup", |call| {
        either(call, busybox::addgroup, debian::addgroup)
    }),
    Program::executed("deluser", |call| {
        either(call, busybox::deluser, debian::deluser)
    }),
    Program::executed("delgroup", |call| {
        either(call, busybox::delgroup, debian::delgroup)
    }),
    Program::executed("useradd", shadow::useradd),
    Program::executed("usermod", shadow::usermod),
    Program::executed("userdel", shadow::userdel),
    Program::executed("groupadd", shadow::groupadd),
    Program::executed("groupmod", shadow::groupmod),
    Program::executed("groupdel", shadow::groupdel),
    Program::executed("gpasswd", shadow::gpasswd),
    Program::executed("chsh", shadow::chsh),
    Program::executed("passwd", passwords::passwd),
    Program::executed("chpasswd", passwords::chpasswd),
];

type Applet = fn(&mut Call<'_, '_>) -> Exit;

fn either(call: &mut Call<'_, '_>, busybox: Applet, debian: Applet) -> Exit {
    match call.flavour() {
        Flavour::Busybox => busybox(call),
        Flavour::Gnu => debian(call),
    }
}

/// The day, counted from 1970.
fn today(call: &Call<'_, '_>) -> i64 {
    call.kernel.vfs.now().secs().div_euclid(86_400)
}

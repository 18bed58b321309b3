//! Which programs a package installs, where the package tables do not say: an Alpine package's at
//! all, a Debian package's where they are made by its scripts or not among its largest files.

/// Packages whose programs are not named as the package is.
const PROGRAMS: &[(&str, &str)] = &[
    (
        "autoconf",
        "/usr/bin/autoconf /usr/bin/autoreconf /usr/bin/autoheader /usr/bin/autom4te",
    ),
    ("automake", "/usr/bin/automake /usr/bin/aclocal"),
    ("cmake", "/usr/bin/cmake /usr/bin/ctest"),
    ("libtool", "/usr/bin/libtool /usr/bin/libtoolize"),
    ("pax-utils", "/usr/bin/scanelf"),
    ("ruby", "/usr/bin/ruby /usr/bin/gem /usr/bin/irb"),
    ("cargo", "/usr/bin/cargo"),
    ("apache2", "/usr/sbin/httpd"),
    ("apache2-utils", "/usr/bin/ab /usr/bin/htpasswd"),
    ("aws-cli", "/usr/bin/aws"),
    ("bash", "/bin/bash"),
    ("bind-tools", "/usr/bin/dig /usr/bin/host /usr/bin/nslookup"),
    (
        "binutils",
        "/usr/bin/ld /usr/bin/as /usr/bin/ar /usr/bin/nm /usr/bin/strip /usr/bin/objdump",
    ),
    ("ca-certificates", "/usr/sbin/update-ca-certificates"),
    ("chromium", "/usr/bin/chromium /usr/bin/chromium-browser"),
    ("clang17", "/usr/bin/clang /usr/bin/clang++"),
    ("dcron", "/usr/sbin/crond"),
    ("docker-cli", "/usr/bin/docker"),
    ("docker-engine", "/usr/bin/dockerd"),
    ("g++", "/usr/bin/g++ /usr/bin/c++"),
    ("gcc", "/usr/bin/gcc /usr/bin/cc"),
    ("ghostscript", "/usr/bin/gs"),
    ("gnupg", "/usr/bin/gpg /usr/bin/gpg-agent /usr/bin/gpgconf"),
    ("gettext", "/usr/bin/msgfmt /usr/bin/gettext"),
    ("go", "/usr/bin/go /usr/bin/gofmt"),
    ("iproute2", "/sbin/ip /sbin/ss"),
    ("iptables", "/sbin/iptables"),
    ("imagemagick", "/usr/bin/convert /usr/bin/magick"),
    ("make", "/usr/bin/make"),
    (
        "inetutils-telnet",
        "ALTERNATIVE /usr/bin/telnet /usr/bin/inetutils-telnet",
    ),
    ("mariadb-client", "/usr/bin/mysql /usr/bin/mysqldump"),
    ("maven", "/usr/bin/mvn"),
    ("netcat-openbsd", "/usr/bin/nc"),
    ("nginx", "/usr/sbin/nginx"),
    ("nodejs", "/usr/bin/node"),
    ("nodejs-current", "/usr/bin/node"),
    ("npm", "/usr/bin/npm /usr/bin/npx"),
    (
        "openjdk11-jre-headless",
        "/usr/lib/jvm/java-11-openjdk/bin/java",
    ),
    ("openjdk17-jdk", "/usr/lib/jvm/java-17-openjdk/bin/javac"),
    (
        "openjdk17-jre-headless",
        "/usr/lib/jvm/java-17-openjdk/bin/java",
    ),
    (
        "openjdk21-jre-headless",
        "/usr/lib/jvm/java-21-openjdk/bin/java",
    ),
    ("openssh-client-default", "/usr/bin/ssh /usr/bin/scp"),
    ("openssh-keygen", "/usr/bin/ssh-keygen"),
    ("openssh-server", "/usr/sbin/sshd"),
    ("p7zip", "/usr/bin/7z"),
    ("php83", "/usr/bin/php83 /usr/bin/php"),
    ("php83-fpm", "/usr/sbin/php-fpm83"),
    ("pkgconf", "/usr/bin/pkgconf /usr/bin/pkg-config"),
    ("postgresql16", "/usr/bin/postgres /usr/bin/initdb"),
    ("postgresql16-client", "/usr/bin/psql /usr/bin/pg_dump"),
    ("procps-ng", "/bin/ps /usr/bin/top /usr/bin/free"),
    ("protobuf", ""),
    ("protoc", "/usr/bin/protoc"),
    ("py3-pip", "/usr/bin/pip /usr/bin/pip3"),
    ("py3-virtualenv", "/usr/bin/virtualenv"),
    (
        "python3",
        "/usr/bin/python3 /usr/bin/python3.12 /usr/bin/python",
    ),
    ("redis", "/usr/bin/redis-server /usr/bin/redis-cli"),
    ("ruby-bundler", "/usr/bin/bundle /usr/bin/bundler"),
    ("rust", "/usr/bin/rustc"),
    ("samurai", "/usr/bin/samu /usr/bin/ninja"),
    (
        "shadow",
        "/usr/sbin/useradd /usr/sbin/groupadd /usr/sbin/usermod /usr/bin/passwd",
    ),
    ("sqlite", "/usr/bin/sqlite3"),
    ("su-exec", "/sbin/su-exec"),
    ("supervisor", "/usr/bin/supervisord /usr/bin/supervisorctl"),
    ("tini", "/sbin/tini"),
    ("vips", ""),
    ("wget", "/usr/bin/wget"),
    ("xz", "/usr/bin/xz /usr/bin/unxz"),
    ("yarn", "/usr/bin/yarn /usr/bin/yarnpkg"),
];

/// Names that are bundles, data or libraries, although they do not look it.
const NONE: &[&str] = &[
    "abuild",
    "alpine-sdk",
    "argon2",
    "attr",
    "brotli",
    "build-base",
    "c-ares",
    "cairo",
    "encodings",
    "fontconfig",
    "fortify-headers",
    "freetype",
    "gcompat",
    "gdbm",
    "geos",
    "gfortran",
    "giflib",
    "glib",
    "gmp",
    "graphite2",
    "gtk+3.0",
    "harfbuzz",
    "icu",
    "isl26",
    "jansson",
    "java-common",
    "java-cacerts",
    "json-c",
    "keyutils",
    "krb5-conf",
    "lcms2",
    "ldns",
    "linux-headers",
    "linux-pam",
    "mpc1",
    "mpdecimal",
    "mpfr4",
    "musl-obstack",
    "nspr",
    "nss",
    "oniguruma",
    "openblas",
    "openssh",
    "openssh-client",
    "pango",
    "pcre",
    "pcre2",
    "pixman",
    "popt",
    "proj",
    "py3-pip-pyc",
    "pyc",
    "python3-pyc",
    "readline",
    "scudo-malloc",
    "sdl2",
    "simdjson",
    "simdutf",
    "base64",
    "tiff",
    "tzdata",
    "unixodbc",
    "xkeyboard-config",
    "yaml",
    "ncurses-terminfo-base",
    "mysql-client",
    "postgresql-client",
];

/// The programs of a package, by absolute path.
pub fn of_apk(name: &str) -> Vec<String> {
    if let Some((_, paths)) = PROGRAMS.iter().find(|(package, _)| *package == name) {
        return paths.split_whitespace().map(str::to_owned).collect();
    }
    let library = name.starts_with("lib")
        || name.starts_with("py3-")
        || name.starts_with("font-")
        || name.starts_with("ttf-")
        || name.starts_with("php83-")
        || name.starts_with("ffmpeg-")
        || name.starts_with("mesa-")
        || [
            "-dev",
            "-libs",
            "-data",
            "-common",
            "-doc",
            "-conf",
            "-full",
            "-en",
            "-cpp-base",
            "-cacerts",
        ]
        .iter()
        .any(|end| name.ends_with(end));
    if library || NONE.contains(&name) {
        Vec::new()
    } else {
        vec![format!("/usr/bin/{name}")]
    }
}

/// Further files of Debian packages, as the package table writes them. Where a script makes a link
/// by way of `/etc/alternatives`, `ALTERNATIVE path target` stands for both links.
const APT_FILES: &[(&str, &str)] = &[
    (
        "apache2",
        "/usr/sbin/a2dismod|0|777|a2enmod;/usr/sbin/a2ensite|0|777|a2enmod;/usr/sbin/a2dissite|0|777|a2enmod;/usr/sbin/a2enconf|0|777|a2enmod;/usr/sbin/a2disconf|0|777|a2enmod;/etc/apache2/sites-available/000-default.conf|1332|644;/etc/apache2/sites-enabled/000-default.conf|0|777|../sites-available/000-default.conf;/etc/apache2/apache2.conf|7178|644;/etc/apache2/ports.conf|320|644;/etc/apache2/envvars|1782|644;/var/www/html/index.html|10701|644",
    ),
    (
        "automake",
        "ALTERNATIVE /usr/bin/automake /usr/bin/automake-1.16;ALTERNATIVE /usr/bin/aclocal /usr/bin/aclocal-1.16",
    ),
    (
        "devscripts",
        "/usr/bin/dch|0|777|debchange;/usr/bin/mk-build-deps|21000|755",
    ),
    (
        "fakeroot",
        "ALTERNATIVE /usr/bin/fakeroot /usr/bin/fakeroot-sysv",
    ),
    ("texinfo", "/usr/bin/makeinfo|0|777|texi2any"),
    ("graphviz", "/usr/bin/dot|14520|755"),
    ("yarnpkg", "/usr/bin/yarn|0|777|yarnpkg"),
    (
        "binutils",
        "/usr/bin/ld|0|777|x86_64-linux-gnu-ld;/usr/bin/strip|0|777|x86_64-linux-gnu-strip;/usr/bin/objdump|0|777|x86_64-linux-gnu-objdump",
    ),
    (
        "binutils-x86-64-linux-gnu",
        "/usr/bin/x86_64-linux-gnu-ld|1743000|755;/usr/bin/x86_64-linux-gnu-strip|171000|755;/usr/bin/x86_64-linux-gnu-objdump|387000|755;/usr/bin/x86_64-linux-gnu-as|726000|755;/usr/bin/x86_64-linux-gnu-ar|59000|755",
    ),
    (
        "ca-certificates",
        "/etc/ssl/certs/ca-certificates.crt|222073|644",
    ),
    ("g++", "ALTERNATIVE /usr/bin/c++ /usr/bin/g++"),
    ("gcc", "ALTERNATIVE /usr/bin/cc /usr/bin/gcc"),
    (
        "imagemagick-6.q16",
        "ALTERNATIVE /usr/bin/convert /usr/bin/convert-im6.q16;ALTERNATIVE /usr/bin/identify /usr/bin/identify-im6.q16",
    ),
    (
        "mariadb-client",
        "/usr/bin/mysql|0|777|mariadb;/usr/bin/mysqldump|0|777|mariadb-dump",
    ),
    (
        "netcat-openbsd",
        "ALTERNATIVE /usr/bin/nc /usr/bin/nc.openbsd",
    ),
    (
        "netcat-traditional",
        "ALTERNATIVE /usr/bin/nc /usr/bin/nc.traditional",
    ),
    (
        "openjdk-17-jdk-headless",
        "/usr/lib/jvm/java-17-openjdk-amd64/bin/javac|14432|755;ALTERNATIVE /usr/bin/javac /usr/lib/jvm/java-17-openjdk-amd64/bin/javac",
    ),
    (
        "openjdk-17-jre-headless",
        "/usr/lib/jvm/java-17-openjdk-amd64/bin/java|14432|755;ALTERNATIVE /usr/bin/java /usr/lib/jvm/java-17-openjdk-amd64/bin/java",
    ),
    ("openssh-client", "/usr/bin/scp|154952|755"),
    ("php8.2-cli", "ALTERNATIVE /usr/bin/php /usr/bin/php8.2"),
    (
        "postgresql-client-common",
        "/usr/share/postgresql-common/pg_wrapper|9000|755;/usr/bin/psql|0|777|../share/postgresql-common/pg_wrapper;/usr/bin/pg_dump|0|777|../share/postgresql-common/pg_wrapper",
    ),
    ("python3-minimal", "/usr/bin/python3|0|777|python3.11"),
    (
        "vim",
        "ALTERNATIVE /usr/bin/vim /usr/bin/vim.basic;ALTERNATIVE /usr/bin/vi /usr/bin/vim.basic",
    ),
    ("vim-tiny", "ALTERNATIVE /usr/bin/vi /usr/bin/vim.tiny"),
];

/// The further files of a Debian package, in the form of the package table.
pub fn more_of_apt(name: &str) -> String {
    let Some((_, files)) = APT_FILES.iter().find(|(package, _)| *package == name) else {
        return String::new();
    };
    let mut out = Vec::new();
    for file in files.split(';') {
        let Some(link) = file.strip_prefix("ALTERNATIVE ") else {
            out.push(file.to_owned());
            continue;
        };
        if let Some((path, target)) = link.split_once(' ') {
            let name = path.rsplit('/').next().unwrap_or_default();
            out.push(format!("{path}|0|777|/etc/alternatives/{name}"));
            out.push(format!("/etc/alternatives/{name}|0|777|{target}"));
        }
    }
    out.join(";")
}

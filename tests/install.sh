#!/bin/sh
# Installs what the tests need beyond Rust: clients and test suites nobody here wrote.
set -eu
cd "$(dirname "$0")"

missing=''
for package in go-sendxmpp mcabber poezio profanity python3-venv; do
    dpkg -s "$package" >/dev/null 2>&1 || missing="$missing $package"
done
# Any Java from 11 on will do.
command -v javac >/dev/null || missing="$missing default-jdk-headless"
command -v mvn >/dev/null || missing="$missing maven"
if [ -n "$missing" ]; then
    root=''
    [ "$(id -u)" = 0 ] || root=sudo
    $root apt-get update -q
    # shellcheck disable=SC2086 # a list of words
    DEBIAN_FRONTEND=noninteractive $root apt-get install -q -y --no-install-recommends $missing
fi

[ -x .venv/bin/python ] || python3 -m venv .venv
pip='.venv/bin/pip --quiet --disable-pip-version-check'
$pip install --requirement requirements.txt

# slixmpp's own tests are in its source archive only.
suite=conformance/slixmpp/requirements.txt
if ! cmp -s "$suite" .venv/itests/requirements.txt; then
    rm -rf .venv/itests
    $pip download --no-deps --no-binary slixmpp --require-hashes --requirement "$suite" --dest .venv/itests
    tar -xzf .venv/itests/slixmpp-*.tar.gz -C .venv/itests --strip-components 1 --wildcards '*/itests'
    cp "$suite" .venv/itests/requirements.txt
fi

# Smack's are in Maven's central repository.
suite=conformance/smack/pom.xml
if ! cmp -s "$suite" .smack/pom.xml; then
    rm -rf .smack
    mvn --quiet --batch-mode -Dstyle.color=never --strict-checksums --file "$suite" \
        dependency:copy-dependencies -DoutputDirectory="$PWD/.smack"
    cp "$suite" .smack/pom.xml
fi

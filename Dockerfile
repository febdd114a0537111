# syntax=docker/dockerfile:1
# One image; each pod runs it with other arguments: `serve ingest`, `serve query`, `rollup run`, `migrate`.

FROM swift:6.3-bookworm AS build
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends \
        libargon2-dev libhiredis-dev liblz4-dev libpq-dev libqrencode-dev libssl-dev pkg-config zlib1g-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
# Dependencies in a layer of their own, fetched again only when the manifest changes.
COPY Package.* ./
RUN swift package resolve
COPY Sources Sources
# The manifest names the test targets, so their folders have to be there.
COPY Tests Tests
RUN swift build --configuration release --product tiketi --static-swift-stdlib
# The binary finds its resources (the SQL migrations) beside itself.
RUN install -D --target-directory=/staging .build/release/tiketi \
    && cp --recursive .build/release/*.resources /staging/ \
    && cp /usr/libexec/swift/linux/swift-backtrace-static /staging/
# What is linked in comes with its licences.
COPY LICENSE ./
RUN for package in .build/checkouts/*/; do \
        install -D --mode=0644 --target-directory="/staging/licenses/$(basename "$package")" \
            "$package"LICENSE* $(ls "$package"NOTICE* 2>/dev/null); \
    done \
    && cp LICENSE /staging/licenses/

# The same Debian as above: the C libraries are linked dynamically, so that their security updates reach us.
FROM debian:bookworm-slim
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends \
        ca-certificates libargon2-1 libhiredis0.14 liblz4-1 libpq5 libqrencode4 libssl3 tini tzdata zlib1g \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin tiketi \
    && install -d -o tiketi -g tiketi -m 0700 /var/lib/tiketi /var/lib/tiketi/spool
COPY --from=build /staging /usr/lib/tiketi
RUN ln -s /usr/lib/tiketi/tiketi /usr/bin/tiketi
# A container's own loopback would reach nobody.
ENV LISTEN_HOST=0.0.0.0 \
    SPOOL_DIR=/var/lib/tiketi/spool \
    SWIFT_BACKTRACE=enable=yes,sanitize=yes,interactive=no,color=no,swift-backtrace=/usr/lib/tiketi/swift-backtrace-static
# By number, so that Kubernetes can see that it is not root.
USER 10001:10001
EXPOSE 8080
# A first process without a handler of its own for SIGTERM is not ended by it.
ENTRYPOINT ["/usr/bin/tini", "--", "/usr/bin/tiketi"]
CMD ["--help"]

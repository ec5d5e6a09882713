# syntax=docker/dockerfile:1
# A small image with nothing but the program, which runs without privileges.
#
#   docker build -t slugline .
#   docker run -p 8080:8080 -v slugline:/data -e SLUGLINE__PUBLIC_URL=http://localhost:8080 slugline
#
# The first start shows the admin key in its output: docker logs.

FROM rust:1.95-slim-bookworm AS build
WORKDIR /src
COPY . .
# The caches live outside of the image, so the binary is copied out of them in the same step.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --locked --profile dist --bin slugline \
    && cp target/dist/slugline /usr/local/bin/slugline \
    && mkdir /data

# glibc, root certificates, and the user `nonroot` (65532); no shell.
FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /usr/local/bin/slugline /usr/local/bin/slugline
COPY --from=build --chown=65532:65532 /data /data
ENV SLUGLINE__LISTEN=0.0.0.0:8080 \
    SLUGLINE__DATA_DIR=/data
# The click journal is in it: a volume that outlives the container, one for each.
VOLUME /data
EXPOSE 8080
STOPSIGNAL SIGTERM
# Asks /-/ready through the control socket: one local request, no shell and no curl.
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
    CMD ["/usr/local/bin/slugline", "check", "--ready"]
ENTRYPOINT ["/usr/local/bin/slugline"]
CMD ["serve"]

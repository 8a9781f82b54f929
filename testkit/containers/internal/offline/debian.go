package offline

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// addPackages puts Debian packages, with everything that they depend on, into
// the image. They come from the machine's own package sources, are checked by
// apt, and are only unpacked: their installation scripts do not run.
func (b *builder) addPackages(ctx context.Context, names []string) error {
	archives, err := download(ctx, b.dir, names)
	if err != nil {
		return err
	}
	for _, link := range []string{"bin", "sbin", "lib", "lib64"} {
		header := &tar.Header{Typeflag: tar.TypeSymlink, Name: link, Linkname: "usr/" + link, Mode: 0o777}
		if err := b.tar.WriteHeader(header); err != nil {
			return err
		}
	}
	for _, archive := range archives {
		name, version, err := identify(ctx, archive)
		if err != nil {
			return err
		}
		if strings.Contains(name, "zookeeper") || strings.Contains(name, "jre") {
			b.labels[name] = version
		}
		if err := b.unpack(ctx, archive); err != nil {
			return fmt.Errorf("%s: %w", filepath.Base(archive), err)
		}
	}
	return nil
}

// download fetches the packages and their dependencies with an apt of its own:
// the machine's sources and keys, but an empty list of installed packages, so
// that nothing is left out and root rights are not needed.
func download(ctx context.Context, dir string, names []string) ([]string, error) {
	state, cache := filepath.Join(dir, "state"), filepath.Join(dir, "cache")
	archives := filepath.Join(cache, "archives")
	for _, folder := range []string{filepath.Join(state, "lists", "partial"), filepath.Join(archives, "partial")} {
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return nil, err
		}
	}
	status := filepath.Join(state, "status")
	if err := os.WriteFile(status, nil, 0o644); err != nil {
		return nil, err
	}
	apt := func(args ...string) error {
		options := []string{
			"-qq", "-o", "Dir::State=" + state, "-o", "Dir::State::status=" + status,
			"-o", "Dir::Cache=" + cache, "-o", "APT::Sandbox::User=root", "-o", "Debug::NoLocking=1",
		}
		_, err := output(exec.CommandContext(ctx, "apt-get", append(options, args...)...))
		return err
	}
	// A source of the machine that has nothing to do with us may be broken:
	// what counts is whether the packages are there afterwards.
	updated := apt("update")
	install := append([]string{"install", "--yes", "--no-install-recommends", "--download-only"}, names...)
	if err := apt(install...); err != nil {
		return nil, errors.Join(err, updated)
	}
	return filepath.Glob(filepath.Join(archives, "*.deb"))
}

// identify returns a package's name and version.
func identify(ctx context.Context, archive string) (name, version string, err error) {
	out, err := output(exec.CommandContext(ctx, "dpkg-deb", "--show", archive))
	if err != nil {
		return "", "", err
	}
	fields := strings.Fields(string(out))
	if len(fields) != 2 {
		return "", "", fmt.Errorf("dpkg-deb --show %s: unexpected %q", archive, out)
	}
	return fields[0], fields[1], nil
}

// unpack copies a package's files into the image.
func (b *builder) unpack(ctx context.Context, archive string) error {
	cmd := exec.CommandContext(ctx, "dpkg-deb", "--fsys-tarfile", archive)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	copied := b.copyFiles(tar.NewReader(out))
	if copied != nil {
		_ = out.Close() // so that dpkg-deb ends
	}
	return errors.Join(copied, cmd.Wait())
}

func (b *builder) copyFiles(from *tar.Reader) error {
	for {
		header, err := from.Next()
		if errors.Is(err, io.EOF) {
			_, err := io.Copy(io.Discard, from)
			return err
		}
		if err != nil {
			return err
		}
		header.Name = merged(header.Name)
		if header.Typeflag == tar.TypeLink {
			header.Linkname = merged(header.Linkname)
		}
		if unneeded(header.Name) || b.seen[header.Name] {
			continue // a folder is part of every package that has a file in it
		}
		b.seen[header.Name] = true
		if err := b.tar.WriteHeader(header); err != nil {
			return err
		}
		if _, err := io.Copy(b.tar, from); err != nil {
			return err
		}
	}
}

// merged returns a path with /bin, /sbin and /lib moved to /usr, where they are
// on every system that Debian installs; some packages still name the old place.
func merged(name string) string {
	clean := strings.TrimPrefix(path.Clean("/"+name), "/")
	first, _, _ := strings.Cut(clean, "/")
	if slices.Contains([]string{"bin", "sbin", "lib", "lib64"}, first) {
		clean = "usr/" + clean
	}
	if strings.HasSuffix(name, "/") {
		clean += "/"
	}
	return clean
}

// unneeded says whether a file is of no use to a server.
func unneeded(name string) bool {
	for _, folder := range []string{"usr/share/doc/", "usr/share/man/", "usr/share/locale/", "usr/share/fonts/"} {
		if strings.HasPrefix(name, folder) {
			return true
		}
	}
	return name == "/"
}

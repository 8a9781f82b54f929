package offline

import (
	"archive/tar"
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"
)

// Ensure makes sure that the engine has the image. It imports the cached root
// file system, which it builds first if there is none, and reports progress to log.
func Ensure(ctx context.Context, engine client.APIClient, r Recipe, log func(format string, args ...any)) error {
	if there, err := Present(ctx, engine, r.Ref()); err != nil || there {
		return err
	}
	root, err := cached(ctx, r, log)
	if err != nil {
		return fmt.Errorf("build %s: %w", r.Ref(), err)
	}
	log("importing %s", r.Ref())
	return importImage(ctx, engine, r, root)
}

// Present says whether the engine has an image.
func Present(ctx context.Context, engine client.APIClient, ref string) (bool, error) {
	_, err := engine.ImageInspect(ctx, ref)
	if errdefs.IsNotFound(err) {
		return false, nil
	}
	return err == nil, err
}

// cached returns the path of the image's root file system, beside which lie its labels.
func cached(ctx context.Context, r Recipe, log func(format string, args ...any)) (string, error) {
	base, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	folder := filepath.Join(base, "reception", "images")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return "", err
	}
	root := filepath.Join(folder, r.Name+"-"+r.hash()+".tar")
	if _, err := os.Stat(root); err == nil {
		return root, nil
	}
	return root, build(ctx, r, root, log)
}

// build writes the root file system and its labels. They appear under their
// names at the end, the file system last, so that a cache entry is never a half.
func build(ctx context.Context, r Recipe, root string, log func(format string, args ...any)) (err error) {
	dir, err := os.MkdirTemp(filepath.Dir(root), "build-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	file, err := os.Create(filepath.Join(dir, "root.tar"))
	if err != nil {
		return err
	}
	defer file.Close() //nolint:errcheck // closed below; this is for the paths that have failed already
	buffered := bufio.NewWriterSize(file, 1<<20)
	b := &builder{dir: dir, tar: tar.NewWriter(buffered), log: log}
	b.seen, b.labels = map[string]bool{}, map[string]string{}
	if err := r.build(ctx, b); err != nil {
		return err
	}
	if err := errors.Join(b.tar.Close(), buffered.Flush(), file.Close()); err != nil {
		return err
	}
	labels, err := json.Marshal(b.labels)
	if err != nil {
		return err
	}
	if err := os.WriteFile(labelsOf(root), labels, 0o600); err != nil {
		return err
	}
	return os.Rename(file.Name(), root)
}

func labelsOf(root string) string { return root + ".json" }

// importImage makes an image of a root file system.
func importImage(ctx context.Context, engine client.APIClient, r Recipe, root string) error {
	text, err := os.ReadFile(labelsOf(root))
	if err != nil {
		return err
	}
	var labels map[string]string
	if err := json.Unmarshal(text, &labels); err != nil {
		return err
	}
	changes := slices.Clone(r.changes)
	for _, key := range slices.Sorted(maps.Keys(labels)) {
		changes = append(changes, "LABEL "+strconv.Quote("offline."+key)+"="+strconv.Quote(labels[key]))
	}
	file, err := os.Open(root)
	if err != nil {
		return err
	}
	defer file.Close() //nolint:errcheck // it was only read
	source := client.ImageImportSource{Source: file, SourceName: "-"}
	answer, err := engine.ImageImport(ctx, source, r.Ref(), client.ImageImportOptions{Changes: changes})
	if err != nil {
		return fmt.Errorf("import %s: %w", r.Ref(), err)
	}
	defer answer.Close() //nolint:errcheck // it was only read
	return importError(answer)
}

// importError returns the error that the engine's progress stream reports.
func importError(answer io.Reader) error {
	decoder := json.NewDecoder(answer)
	for {
		var message struct{ Error string }
		if err := decoder.Decode(&message); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if message.Error != "" {
			return fmt.Errorf("the engine says: %s", message.Error)
		}
	}
}

// addFile puts a program of this machine into the image.
func (b *builder) addFile(from, name string) error {
	file, err := os.Open(from)
	if err != nil {
		return err
	}
	defer file.Close() //nolint:errcheck // it was only read
	info, err := file.Stat()
	if err != nil {
		return err
	}
	header := &tar.Header{Typeflag: tar.TypeReg, Name: name, Size: info.Size(), Mode: 0o755}
	if err := b.tar.WriteHeader(header); err != nil {
		return err
	}
	_, err = io.Copy(b.tar, file)
	return err
}

// addFolders puts empty folders into the image that anybody may write to.
func (b *builder) addFolders(names ...string) error {
	for _, name := range names {
		header := &tar.Header{Typeflag: tar.TypeDir, Name: name + "/", Mode: 0o1777}
		if err := b.tar.WriteHeader(header); err != nil {
			return err
		}
	}
	return nil
}

package offline

import (
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"strings"
)

// programs are the sources of our own programs that go into images. They are
// embedded because the kit may be a dependency that cannot be built in place.
//
//go:embed programs/*/*.go
var programs embed.FS

// goModule is a module whose root package, or the package named, is a program.
type goModule struct{ path, version string }

func (m goModule) String() string { return m.path + "@" + m.version }

// addModule builds the module's root package and puts the program at name.
//
// The module cannot be the main module, because that would need its source tree
// with the replacements in it, so it is built as a dependency of an empty one.
// Such a module has neither the excludes nor the checksums of the original;
// both are carried over, the excludes because the build breaks without them.
func (b *builder) addModule(ctx context.Context, m goModule, name string) error {
	var source struct{ Dir, GoMod string }
	var file struct {
		Exclude []struct{ Path, Version string }
	}
	dir, err := os.MkdirTemp(b.dir, "module-")
	if err != nil {
		return err
	}
	if err := goJSON(ctx, dir, &source, "mod", "download", "-json", m.String()); err != nil {
		return err
	}
	if err := goJSON(ctx, dir, &file, "mod", "edit", "-json", source.GoMod); err != nil {
		return err
	}
	var text strings.Builder
	fmt.Fprintf(&text, "module offline\n\ngo 1.26\n\nrequire %s %s\n", m.path, m.version)
	for _, exclude := range file.Exclude {
		fmt.Fprintf(&text, "exclude %s %s\n", exclude.Path, exclude.Version)
	}
	sums, err := os.ReadFile(filepath.Join(source.Dir, "go.sum"))
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte(text.String()), 0o600); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "go.sum"), sums, 0o600); err != nil {
		return err
	}
	b.log("building %s (this can take some minutes)", m)
	b.labels[m.path] = m.version
	return b.addBuilt(ctx, dir, m.path, name)
}

// addProgram builds one of the embedded programs and puts it at name.
func (b *builder) addProgram(ctx context.Context, program, name string) error {
	dir, err := os.MkdirTemp(b.dir, "program-")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module offline\n\ngo 1.26\n"), 0o600); err != nil {
		return err
	}
	for _, file := range programFiles(program) {
		text, err := fs.ReadFile(programs, file)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, path.Base(file)), text, 0o600); err != nil {
			return err
		}
	}
	return b.addBuilt(ctx, dir, ".", name)
}

// addBuilt builds a package in the module at dir as a static Linux program.
func (b *builder) addBuilt(ctx context.Context, dir, pkg, name string) error {
	out := filepath.Join(dir, "program.out")
	if _, err := goCommand(ctx, dir, "build", "-trimpath", "-ldflags=-s -w", "-o", out, pkg); err != nil {
		return err
	}
	b.labels["go"] = runtime.Version()
	return b.addFile(out, name)
}

// goJSON runs the go command and decodes what it prints.
func goJSON(ctx context.Context, dir string, into any, args ...string) error {
	out, err := goCommand(ctx, dir, args...)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(out, into); err != nil {
		return fmt.Errorf("go %s: %w", strings.Join(args, " "), err)
	}
	return nil
}

// goCommand runs the go command as configured on this machine, for Linux.
func goCommand(ctx context.Context, dir string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH="+runtime.GOARCH, "CGO_ENABLED=0",
		"GOWORK=off", "GOFLAGS=-mod=mod -buildvcs=false")
	return output(cmd)
}

// output runs a command; its error has the end of what the command said.
func output(cmd *exec.Cmd) ([]byte, error) {
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		const enough = 2000
		said := bytes.TrimSpace(append(stdout.Bytes(), stderr.Bytes()...))
		said = said[max(0, len(said)-enough):]
		return nil, fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, said)
	}
	return stdout.Bytes(), nil
}

package gen

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
)

// A schema is a JSON schema, or a part of one.
type schema = map[string]any

// Schema gives the JSON schema of specs, by which editors complete and check them. It is as strict as a schema can be
// that knows of no names: a spec that it refuses does not load, and one that it accepts may still be wrong.
func Schema() []byte {
	definitions := schema{}
	root := reference(specKind, definitions)
	root["$schema"] = "http://json-schema.org/draft-07/schema#"
	root["title"] = "Reception spec"
	root["definitions"] = definitions
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(root); err != nil {
		panic(err) // the table has nothing that JSON does not
	}
	return b.Bytes()
}

// reference refers to the definition of a kind, which it adds if need be.
func reference(k *kind, definitions schema) schema {
	id := k.identifier()
	if definitions[id] == nil {
		definitions[id] = schema{} // while it is being made
		definitions[id] = k.schema(definitions)
	}
	return schema{"$ref": "#/definitions/" + id}
}

var notInIdentifier = regexp.MustCompile(`[^a-z]+`)

// identifier is the kind's name in the schema and in the tables of the grammar.
func (k *kind) identifier() string {
	if k.id != "" {
		return k.id
	}
	return notInIdentifier.ReplaceAllString(k.name, "-")
}

func (k *kind) schema(definitions schema) schema {
	properties, needed, all := schema{}, []string{}, []schema{}
	for _, e := range k.keys {
		s := e.value.schema(definitions)
		if e.value.shape == shapeResults {
			s = k.rule.schema()
		}
		s["description"] = strings.ReplaceAll(e.doc, "`", "")
		properties[e.name] = s
		switch {
		case e.when.key != "":
			all = append(all, e.conditional(k))
		case e.required:
			needed = append(needed, e.name)
		}
	}
	s := schema{
		"type": "object", "description": strings.ReplaceAll(k.doc, "`", ""),
		"properties": properties, "additionalProperties": false,
	}
	if len(needed) > 0 {
		s["required"] = needed
	}
	for _, n := range k.needs {
		all = append(all, schema{"if": having(n.key), "then": having(n.other)})
	}
	for _, group := range k.one {
		all = append(all, schema{"oneOf": havingEach(group)})
	}
	for _, group := range k.most {
		all = append(all, schema{"not": having(group...)})
	}
	if len(all) > 0 {
		s["allOf"] = all
	}
	return s
}

// conditional says when the entry must be there, may be there, or must not.
func (e *key) conditional(k *kind) schema {
	condition := schema{"properties": schema{e.when.key: schema{"const": e.when.is}}}
	if k.find(e.when.key).fallback != e.when.is {
		condition["required"] = []string{e.when.key}
	}
	s := schema{"if": condition, "else": schema{"properties": schema{e.name: false}}}
	if e.required {
		s["then"] = having(e.name)
	}
	return s
}

func having(keys ...string) schema { return schema{"required": keys} }

func havingEach(keys []string) []schema {
	all := make([]schema, len(keys))
	for i, key := range keys {
		all[i] = having(key)
	}
	return all
}

// schema is what into may say.
func (r *ruleKind) schema() schema {
	properties, needed := schema{}, []string{}
	for _, result := range r.results {
		properties[result.name] = schema{"type": "string", "pattern": exportedName.String(), "description": result.doc}
		if result.required {
			needed = append(needed, result.name)
		}
	}
	s := schema{"type": "object", "properties": properties, "additionalProperties": false, "minProperties": 1}
	if len(needed) > 0 {
		s["required"] = needed
	}
	return s
}

func (v *value) schema(definitions schema) schema {
	switch v.shape {
	case shapeWord:
		return schema{"enum": v.choices}
	case shapeFlag:
		return schema{"const": true}
	case shapeBool:
		return schema{"type": "boolean"}
	case shapeBounds:
		return schema{"type": "array", "items": schema{"type": "integer"}, "minItems": 2, "maxItems": 2}
	case shapeList:
		return schema{"type": "array", "items": v.items.schema(definitions), "minItems": 1}
	case shapePaths:
		path := schema{"type": "string", "pattern": forms[shapePath].pattern.String()}
		return schema{"type": "object", "propertyNames": path, "additionalProperties": path, "minProperties": 1}
	case shapeObject:
		if len(v.kinds) == 1 {
			return schema{"allOf": []schema{reference(v.kinds[0], definitions)}}
		}
		var alternatives []schema
		for _, k := range v.kinds {
			alternatives = append(alternatives, reference(k, definitions))
		}
		return schema{"oneOf": alternatives}
	}
	s := schema{"type": "string", "minLength": 1}
	if form, ok := forms[v.shape]; ok {
		s["pattern"] = form.pattern.String()
	}
	return s
}

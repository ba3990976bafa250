package rest

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"

	"github.com/bytedance/sonic"
)

// object is a JSON object as it is decoded.
type object = map[string]any

// resolve follows a $ref within the document.
func resolve(doc object, v any) object {
	o, _ := v.(object)
	ref, ok := o["$ref"].(string)
	if !ok {
		return o
	}
	var at any = doc
	for part := range strings.SplitSeq(strings.TrimPrefix(ref, "#/"), "/") {
		o, ok := at.(object)
		if !ok || o[part] == nil {
			panic("the document refers to " + ref + ", which is not there")
		}
		at = o[part]
	}
	return resolve(doc, at)
}

// knownKeywords is what conforms looks at, and what says nothing about values.
var knownKeywords = []string{"type", "properties", "required", "additionalProperties", "items", "maxItems", "enum", "minimum", "maximum",
	"pattern", "minLength", "maxLength", "description", "default"}

// conforms returns why a value is not what a schema says, or nil. It knows the
// keywords that the document uses.
func conforms(doc object, schema any, value any, at string) error {
	s := resolve(doc, schema)
	for keyword := range s {
		if !slices.Contains(knownKeywords, keyword) {
			return fmt.Errorf("%s: the test does not know the keyword %s", at, keyword)
		}
	}
	if enum, ok := s["enum"].([]any); ok && !slices.Contains(enum, value) {
		return fmt.Errorf("%s: %v is none of %v", at, value, enum)
	}
	switch kind := s["type"]; v := value.(type) {
	case object:
		if kind != "object" {
			return fmt.Errorf("%s: an object is no %v", at, kind)
		}
		return conformsObject(doc, s, v, at)
	case []any:
		if kind != "array" {
			return fmt.Errorf("%s: an array is no %v", at, kind)
		}
		if most, ok := s["maxItems"].(float64); ok && float64(len(v)) > most {
			return fmt.Errorf("%s: %d items", at, len(v))
		}
		for i, item := range v {
			if err := conforms(doc, s["items"], item, fmt.Sprintf("%s[%d]", at, i)); err != nil {
				return err
			}
		}
	case string:
		pattern, _ := s["pattern"].(string)
		if kind != "string" || !regexp.MustCompile(pattern).MatchString(v) {
			return fmt.Errorf("%s: %q is no %v %s", at, v, kind, pattern)
		}
		if least, ok := s["minLength"].(float64); ok && float64(len(v)) < least {
			return fmt.Errorf("%s: %q is too short", at, v)
		}
	case float64:
		if kind != "number" && (kind != "integer" || v != math.Trunc(v)) {
			return fmt.Errorf("%s: %v is no %v", at, v, kind)
		}
		least, low := s["minimum"].(float64)
		most, high := s["maximum"].(float64)
		if low && v < least || high && v > most {
			return fmt.Errorf("%s: %v is out of range", at, v)
		}
	case bool:
		if kind != "boolean" {
			return fmt.Errorf("%s: %v is no %v", at, v, kind)
		}
	default:
		return fmt.Errorf("%s: %v is no %v", at, value, kind)
	}
	return nil
}

func conformsObject(doc, s, v object, at string) error {
	required, _ := s["required"].([]any)
	for _, name := range required {
		if _, ok := v[name.(string)]; !ok {
			return fmt.Errorf("%s: no %v", at, name)
		}
	}
	properties, _ := s["properties"].(object)
	for name, member := range v {
		schema, known := properties[name]
		if !known {
			more, isSchema := s["additionalProperties"].(object)
			if s["additionalProperties"] == false {
				return fmt.Errorf("%s: %s is not in the document", at, name)
			}
			if !isSchema {
				continue
			}
			schema = more
		}
		if err := conforms(doc, schema, member, at+"."+name); err != nil {
			return err
		}
	}
	return nil
}

func decode(text string) (v any, err error) {
	err = sonic.ConfigStd.UnmarshalFromString(text, &v)
	return v, err
}

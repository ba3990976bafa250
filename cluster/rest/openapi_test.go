package rest

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"hubsub/cluster"
)

// plays has a request for each status of each operation of the document.
var plays = []struct {
	operation string // method and path as in the document
	status    int
	target    string
	body      string
	prepare   func(*site)
}{
	{"get /v1/rooms", 200, "/v1/rooms", "", nil},
	{"get /v1/rooms", 200, "/v1/rooms?count=1", "", nil},
	{"get /v1/rooms", 400, "/v1/rooms?count=x", "", nil},
	{"get /v1/rooms", 401, "/v1/rooms", "", stranger},
	{"get /v1/rooms", 500, "/v1/rooms", "", failing(errors.New("a surprise"))},
	{"get /v1/rooms", 503, "/v1/rooms", "", failing(cluster.ErrNoLeader)},

	{"get /v1/rooms/{room}", 200, "/v1/rooms/a", "", nil},
	{"get /v1/rooms/{room}", 400, "/v1/rooms/%FF", "", nil},
	{"get /v1/rooms/{room}", 401, "/v1/rooms/a", "", stranger},
	{"get /v1/rooms/{room}", 404, "/v1/rooms/nosuch", "", nil},
	{"get /v1/rooms/{room}", 500, "/v1/rooms/a", "", failing(errors.New("a surprise"))},
	{"get /v1/rooms/{room}", 503, "/v1/rooms/a", "", failing(cluster.ErrTryAgain)},

	{"put /v1/rooms/{room}", 200, "/v1/rooms/c", "", nil},
	{"put /v1/rooms/{room}", 200, "/v1/rooms/d", `{"replicas":2,"keep":true,"pins":["n1","n2"]}`, nil},
	{"put /v1/rooms/{room}", 400, "/v1/rooms/c", `{"x":1}`, nil},
	{"put /v1/rooms/{room}", 401, "/v1/rooms/c", "", stranger},
	{"put /v1/rooms/{room}", 413, "/v1/rooms/c", strings.Repeat("x", bodyBytesMax+1), nil},
	{"put /v1/rooms/{room}", 422, "/v1/rooms/c", `{"pins":["gone"]}`, failing(cluster.ErrNoNode)},
	{"put /v1/rooms/{room}", 429, "/v1/rooms/c", "", (*site).exhaust},
	{"put /v1/rooms/{room}", 500, "/v1/rooms/c", "", failing(errors.New("a surprise"))},
	{"put /v1/rooms/{room}", 503, "/v1/rooms/c", "", failing(cluster.ErrNoLeader)},
	{"put /v1/rooms/{room}", 507, "/v1/rooms/c", "", failing(cluster.ErrTooMany)},

	{"delete /v1/rooms/{room}", 204, "/v1/rooms/a", "", nil},
	{"delete /v1/rooms/{room}", 400, "/v1/rooms/%FF", "", nil},
	{"delete /v1/rooms/{room}", 401, "/v1/rooms/a", "", stranger},
	{"delete /v1/rooms/{room}", 404, "/v1/rooms/nosuch", "", nil},
	{"delete /v1/rooms/{room}", 500, "/v1/rooms/a", "", failing(errors.New("a surprise"))},
	{"delete /v1/rooms/{room}", 503, "/v1/rooms/a", "", failing(cluster.ErrNoLeader)},

	{"get /v1/nodes", 200, "/v1/nodes", "", nil},
	{"get /v1/nodes", 401, "/v1/nodes", "", stranger},
	{"get /v1/openapi.json", 200, "/v1/openapi.json", "", nil},
	{"get /v1/openapi.json", 401, "/v1/openapi.json", "", stranger},
}

func stranger(s *site) { s.token = "" }

func failing(err error) func(*site) { return func(s *site) { s.fail(err) } }

// readDocument returns the document as the server tells it.
func readDocument(t *testing.T) object {
	t.Helper()
	doc, err := decode(serve(t, "").call("GET", "/v1/openapi.json", "").body)
	if err != nil {
		t.Fatal(err)
	}
	return doc.(object)
}

// each calls yield for each operation, "get /v1/rooms" and the like.
func each(doc object, yield func(name string, operation object)) {
	for path, item := range doc["paths"].(object) {
		for method, operation := range item.(object) {
			if method != "parameters" {
				yield(method+" "+path, operation.(object))
			}
		}
	}
}

// The document and the mux have the same operations.
func TestDocumentHasAllRoutes(t *testing.T) {
	var told, served []string
	ids := map[any]bool{}
	each(readDocument(t), func(name string, operation object) {
		told = append(told, name)
		if id := operation["operationId"]; id == nil || ids[id] {
			t.Errorf("%s: operationId %v is absent or another's", name, id)
		}
		ids[operation["operationId"]] = true
	})
	for path, methods := range routes {
		for method := range methods {
			served = append(served, strings.ToLower(method)+" "+path)
		}
	}
	slices.Sort(told)
	slices.Sort(served)
	if !slices.Equal(told, served) {
		t.Errorf("told   %v\nserved %v", told, served)
	}
}

// Each operation answers with each status that the document tells of, with
// the headers and the body that it tells of.
func TestDocumentIsTrue(t *testing.T) {
	doc := readDocument(t)
	untried := map[string]bool{}
	each(doc, func(name string, operation object) {
		for status := range operation["responses"].(object) {
			untried[name+" "+status] = true
		}
	})
	for _, play := range plays {
		s := serve(t, "secret")
		s.call("PUT", "/v1/rooms/a", "")
		s.call("PUT", "/v1/rooms/b", "")
		if play.prepare != nil {
			play.prepare(s)
		}
		method, path, _ := strings.Cut(play.operation, " ")
		got := s.call(strings.ToUpper(method), play.target, play.body)
		name := fmt.Sprint(play.operation, " ", play.status)
		delete(untried, name)
		if got.status != play.status {
			t.Errorf("%s: %d %s", name, got.status, got.body)
			continue
		}
		operation := doc["paths"].(object)[path].(object)[method].(object)
		response := operation["responses"].(object)[strconv.Itoa(got.status)]
		if response == nil {
			t.Errorf("%s is not in the document", name)
			continue
		}
		if err := got.conform(doc, resolve(doc, response)); err != nil {
			t.Errorf("%s: %v\n%s", name, err, got.body)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(untried)) {
		t.Errorf("%s is in the document, and the test does not play it", name)
	}
}

// conform returns why an answer is not as a response object says.
func (a answer) conform(doc, response object) error {
	headers, _ := response["headers"].(object)
	for name, header := range headers {
		value := a.header.Get(name)
		if value == "" {
			return fmt.Errorf("no header %s", name)
		}
		if err := conforms(doc, header.(object)["schema"], value, name); err != nil {
			return err
		}
	}
	content, _ := response["content"].(object)
	if len(content) == 0 {
		if a.body != "" {
			return errors.New("there is a body")
		}
		return nil
	}
	media, ok := content[a.header.Get("Content-Type")].(object)
	if !ok {
		return fmt.Errorf("the content is %s", a.header.Get("Content-Type"))
	}
	body, err := decode(a.body)
	if err != nil {
		return err
	}
	if o, ok := body.(object); ok && o["status"] != nil && o["status"] != float64(a.status) {
		return errors.New("the problem tells another status")
	}
	return conforms(doc, media["schema"], body, "body")
}

// What the document says of a PUT's body is what the handler takes.
func TestDocumentedOptions(t *testing.T) {
	doc := readDocument(t)
	s := serve(t, "")
	schema := object{"$ref": "#/components/schemas/Options"}
	for _, body := range []string{
		`{}`, `{"replicas":1}`, `{"replicas":7}`, `{"replicas":0}`, `{"replicas":8}`, `{"replicas":1.5}`, `{"replicas":"1"}`, `{"keep":true}`,
		`{"keep":"x"}`, `{"pins":[]}`, `{"pins":["a"]}`, `{"pins":[""]}`, `{"pins":["1","2","3","4","5","6","7","8"]}`, `{"other":1}`, `[]`, `1`,
	} {
		value, err := decode(body)
		if err != nil {
			t.Fatal(err)
		}
		fits := conforms(doc, schema, value, "body") == nil
		if got := s.call("PUT", "/v1/rooms/a", body); (got.status == 200) != fits {
			t.Errorf("%s: %d %s, and fits is %v", body, got.status, got.body, fits)
		}
	}
}

// The validator can say no.
func TestConforms(t *testing.T) {
	doc := readDocument(t)
	f := func(schema, text string, fits bool) {
		t.Helper()
		value, err := decode(text)
		if err != nil {
			t.Fatal(err)
		}
		if err := conforms(doc, object{"$ref": "#/components/schemas/" + schema}, value, schema); (err == nil) != fits {
			t.Errorf("%s as %s: %v", text, schema, err)
		}
	}
	good := `{"room":"a","epoch":"1-2","hosts":["x"],"replicas":1,"keep":true,"pins":[]}`
	f("Room", good, true)
	for _, change := range [][2]string{
		{`"room":"a",`, ``}, {`"a"`, `1`}, {`"1-2"`, `"1"`}, {`["x"]`, `[1]`}, {`["x"]`, `{}`}, {`["x"]`, `null`}, {`1,"keep"`, `0,"keep"`},
		{`1,"keep"`, `1.5,"keep"`}, {`true`, `"true"`}, {`"pins":[]`, `"pins":[],"more":1`},
	} {
		f("Room", strings.Replace(good, change[0], change[1], 1), false)
	}
	f("RoomDetail", detail("a"), true)
	for _, change := range [][2]string{
		{`"nodes":[`, `"node":[`}, {`leader`, `owner`}, {`"gaps":2`, `"gaps":-1`}, {`"n2":4`, `"n2":"4"`}, {`"lost":7`, `"lost":7,"more":1`},
		{`"messages":9`, `"messages":null`},
	} {
		f("RoomDetail", strings.Replace(detail("a"), change[0], change[1], 1), false)
	}
	f("Page", `{"rooms":[`+good+`],"next":"1"}`, true)
	f("Page", `{"rooms":[`+good+`],"next":1}`, false)
	f("Problem", `{"type":"urn:hubsub:x","title":"","status":200,"detail":""}`, false)
}

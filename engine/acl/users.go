package acl

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
)

// Account is a user's place, from when the name is made until it is deleted.
// Clients hold it.
type Account struct {
	name string
	user atomic.Pointer[User]
}

// Name returns the name of the account's user.
func (a *Account) Name() string { return a.name }

// User returns the user as it is now, nil once it is deleted. Any goroutine.
func (a *Account) User() *User { return a.user.Load() }

// Users is all users there are. Any goroutine may call its methods.
type Users struct {
	// Set once.
	catalog *Catalog
	initial *Account // the user named DefaultName

	mu          sync.RWMutex // for changes, and for what is below
	accounts    map[string]*Account
	loaded      map[string]*User // what the last Load said
	allChannels bool
	password    string // of the default user unless a Load names it: requirepass
}

// NewUsers returns the users of a new server: the default user, who may do
// everything and needs no password.
func NewUsers(catalog *Catalog) *Users {
	u := &Users{catalog: catalog, initial: &Account{name: DefaultName}}
	u.accounts = map[string]*Account{DefaultName: u.initial}
	u.initial.user.Store(newDefault().withPassword(""))
	return u
}

// newDefault returns a default user of whom nobody has said anything, unsealed.
func newDefault() *User {
	everything := selector{keys: patterns{all: true}, channels: patterns{all: true}}
	everything.setAll(true)
	return &User{name: DefaultName, enabled: true, selectors: []selector{everything}}
}

// withPassword makes this the one password of a user that nobody else has; with
// "" none is needed.
func (user *User) withPassword(password string) *User {
	user.noPass, user.passwords = password == "", nil
	if password != "" {
		user.passwords = []string{hashed([]byte(password))}
	}
	return user.seal()
}

// Default returns the account of the default user. It is always there.
func (u *Users) Default() *Account { return u.initial }

// Find returns the account of a name, or nil.
func (u *Users) Find(name string) *Account {
	u.mu.RLock()
	defer u.mu.RUnlock()
	return u.accounts[name]
}

// User returns the user of a name, or nil.
func (u *Users) User(name string) *User {
	if a := u.Find(name); a != nil {
		return a.User()
	}
	return nil
}

// Authenticate returns the account of a user who accepts the password, or nil.
func (u *Users) Authenticate(name, password []byte) *Account {
	if a := u.Find(string(name)); a != nil {
		if user := a.User(); user != nil && user.accepts(password) {
			return a
		}
	}
	return nil
}

// List returns all users by name.
func (u *Users) List() []*User {
	u.mu.RLock()
	defer u.mu.RUnlock()
	var users []*User
	for _, name := range slices.Sorted(maps.Keys(u.accounts)) {
		users = append(users, u.accounts[name].User())
	}
	return users
}

// Change is what a Set did: before is nil for a user who is new.
type Change struct {
	Account       *Account
	Before, After *User
}

// Revokes reports whether clients of a user who stays may have subscriptions now
// that they may not have. Of a user who had no channel to lose, none is looked
// at, as in Redis.
func (c Change) Revokes() bool {
	return c.Before != nil && c.After != nil && !c.After.hearsAll() && c.Before.hearsSome()
}

// Set changes a user by the rules of an ACL SETUSER, or makes one: all rules,
// or none. The error is in Redis's words, without the code ERR.
func (u *Users) Set(name string, rules []string) (Change, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.set(name, rules)
}

func (u *Users) set(name string, rules []string) (change Change, err error) {
	if name == "" || spaced(name) {
		return change, errName
	}
	next := &User{name: name, selectors: []selector{newSelector(u.allChannels)}}
	change.Account = u.accounts[name]
	if change.Account != nil {
		change.Before = change.Account.User()
		next = change.Before.clone()
	}
	if change.After, err = u.changed(next, rules); err != nil {
		if bad := new(ruleError); errors.As(err, &bad) {
			err = fmt.Errorf("Error in ACL SETUSER %w", err)
		}
		return Change{}, err
	}
	if change.Account == nil {
		change.Account = &Account{name: name}
		u.accounts[name] = change.Account
	}
	change.Account.user.Store(change.After)
	return change, nil
}

// changed returns what the rules make of a user that nobody else has.
func (u *Users) changed(user *User, rules []string) (*User, error) {
	c := changer{user: user, catalog: u.catalog, allChannels: u.allChannels}
	if err := c.apply(rules); err != nil {
		return nil, err
	}
	return c.user.seal(), nil
}

// Delete removes a user and returns the account, nil if there was none. The
// default user must not be deleted.
func (u *Users) Delete(name string) *Account {
	u.mu.Lock()
	defer u.mu.Unlock()
	a := u.accounts[name]
	if a != nil {
		u.remove(a)
	}
	return a
}

func (u *Users) remove(a *Account) {
	delete(u.accounts, a.name)
	a.user.Store(nil)
}

// SetDefaultPassword makes this the one password of the default user; with ""
// none is needed. It is the option requirepass.
func (u *Users) SetDefaultPassword(password string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.password = password
	u.initial.user.Store(u.initial.User().clone().withPassword(password))
}

// SetAllChannels says whether new users, new selectors and "reset" begin with
// all channels or with none. It is the option acl-pubsub-default.
func (u *Users) SetAllChannels(all bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.allChannels = all
}

// Parse reads the users of a configuration file. Each line is the words that
// follow the word "user": a name and its rules. A password may hold blanks.
func (u *Users) Parse(lines [][]string) (users []*User, err error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, line := range lines {
		user, err := u.parse(line)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(users, func(o *User) bool { return o.name == user.name }) {
			return nil, fmt.Errorf("user %s: Error in user declaration '%s': %w", user.name, user.name, errDuplicate)
		}
		users = append(users, user)
	}
	return users, nil
}

// Load puts users in force that Parse has read. A user that is there already,
// as the default user is, begins anew. One that an earlier Load has made and
// this one does not name is deleted; if that is the default user, it is as
// requirepass says again. It returns what has changed: of a deleted user, After
// is nil.
func (u *Users) Load(users []*User) (changes []Change) {
	u.mu.Lock()
	defer u.mu.Unlock()
	said := map[string]*User{}
	for _, user := range users {
		said[user.name] = user
	}
	for _, name := range slices.Sorted(maps.Keys(u.loaded)) {
		account := u.accounts[name]
		switch {
		case said[name] != nil, account == nil:
		case account == u.initial:
			changes = append(changes, u.resetDefault())
		default:
			changes = append(changes, Change{Account: account, Before: account.User()})
			u.remove(account)
		}
	}
	u.loaded = said
	for _, name := range slices.Sorted(maps.Keys(said)) {
		change := Change{Account: u.accounts[name], After: said[name]}
		if change.Account == nil {
			change.Account = &Account{name: name}
			u.accounts[name] = change.Account
		} else if change.Before = change.Account.User(); change.Before.String() == change.After.String() {
			continue
		}
		change.Account.user.Store(change.After)
		changes = append(changes, change)
	}
	return changes
}

// resetDefault makes the default user what it is when no file speaks of it.
func (u *Users) resetDefault() Change {
	change := Change{Account: u.initial, Before: u.initial.User(), After: newDefault().withPassword(u.password)}
	u.initial.user.Store(change.After)
	return change
}

// parse makes a user from the words of a line of a configuration file.
func (u *Users) parse(words []string) (*User, error) {
	if len(words) == 0 {
		return nil, errors.New("user: a name and rules are missing")
	}
	name, rules := words[0], words[1:]
	if name == "" || spaced(name) {
		return nil, fmt.Errorf("user %q: %w", name, errName)
	}
	if name == DefaultName { // it is there already
		rules = append([]string{"reset"}, rules...)
	}
	user, err := u.changed(&User{name: name, selectors: []selector{newSelector(u.allChannels)}}, rules)
	if bad := new(ruleError); errors.As(err, &bad) {
		return nil, fmt.Errorf("user %s: Error in user declaration '%s': %w", name, bad.rule, bad.why)
	} else if err != nil {
		return nil, fmt.Errorf("user %s: %w", name, err)
	}
	return user, nil
}

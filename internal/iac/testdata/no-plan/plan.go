// src → dst (rule logs): healthy, no edit is needed
// src → third (rule photos): broken, no edit can or may cure replica-key-aws-managed
// there is nothing to change

package replimend

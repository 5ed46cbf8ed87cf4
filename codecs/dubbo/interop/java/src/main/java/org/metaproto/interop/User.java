package org.metaproto.interop;

import java.io.Serializable;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** A class with a field of every kind: text, number, list, map, enum, and one of its own class. */
public class User implements Serializable {
    private static final long serialVersionUID = 1L;

    private String name;
    private int age;
    private List<String> tags;
    private Map<String, Integer> scores;
    private Color color;
    private User friend;

    public String getName() {
        return name;
    }

    public void setName(String name) {
        this.name = name;
    }

    public int getAge() {
        return age;
    }

    public void setAge(int age) {
        this.age = age;
    }

    public List<String> getTags() {
        return tags;
    }

    public void setTags(List<String> tags) {
        this.tags = tags;
    }

    public Map<String, Integer> getScores() {
        return scores;
    }

    public void setScores(Map<String, Integer> scores) {
        this.scores = scores;
    }

    public Color getColor() {
        return color;
    }

    public void setColor(Color color) {
        this.color = color;
    }

    public User getFriend() {
        return friend;
    }

    public void setFriend(User friend) {
        this.friend = friend;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof User that
                && Objects.equals(name, that.name)
                && age == that.age
                && Objects.equals(tags, that.tags)
                && Objects.equals(scores, that.scores)
                && color == that.color
                && Objects.equals(friend, that.friend);
    }

    @Override
    public int hashCode() {
        return Objects.hash(name, age);
    }

    @Override
    public String toString() {
        return "User(" + name + ", " + age + ", " + tags + ", " + scores + ", " + color + ", " + friend + ")";
    }
}

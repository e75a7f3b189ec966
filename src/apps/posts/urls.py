"""Addresses of posts: pages and API."""

from django.urls import path

from apps.posts.views import api, feed, pages

app_name = "posts"

urlpatterns = [
    path("posts/", feed.FeedPage.as_view(), name="feed"),
    path("posts/more/", feed.MorePosts.as_view(), name="more"),
    path("posts/new/", pages.NewPostPage.as_view(), name="new"),
    path("posts/<uuid:post_id>/", pages.PostPage.as_view(), name="post"),
    path("posts/<uuid:post_id>/edit/", pages.EditPostPage.as_view(), name="edit"),
    path("posts/<uuid:post_id>/delete/", pages.DeletePostPage.as_view(), name="delete"),
    path("api/v1/posts/", api.PostsView.as_view(), name="api-posts"),
    path("api/v1/posts/<uuid:post_id>/", api.PostView.as_view(), name="api-post"),
]
